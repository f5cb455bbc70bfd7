#ifndef EDGEC_ADD_FLOAT32_H
#define EDGEC_ADD_FLOAT32_H

#include "edgec_binary_float32.h"

typedef edgec_binary_float32_params edgec_add_float32_params;

/* out = in1 + in2, element by element. */
void edgec_add_float32(const edgec_add_float32_params *p, const float *in1, const float *in2,
                       float *out);

#endif
