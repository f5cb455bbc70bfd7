#ifndef EDGEC_MINIMUM_FLOAT32_H
#define EDGEC_MINIMUM_FLOAT32_H

#include "edgec_binary_float32.h"

typedef edgec_binary_float32_params edgec_minimum_float32_params;

/* out = the smaller of in1 and in2, element by element. */
void edgec_minimum_float32(const edgec_minimum_float32_params *p, const float *in1,
                           const float *in2, float *out);

#endif
