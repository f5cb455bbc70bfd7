#ifndef EDGEC_MAXIMUM_FLOAT32_H
#define EDGEC_MAXIMUM_FLOAT32_H

#include "edgec_binary_float32.h"

typedef edgec_binary_float32_params edgec_maximum_float32_params;

/* out = the larger of in1 and in2, element by element. */
void edgec_maximum_float32(const edgec_maximum_float32_params *p, const float *in1,
                           const float *in2, float *out);

#endif
