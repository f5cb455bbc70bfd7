#ifndef EDGEC_MUL_FLOAT32_H
#define EDGEC_MUL_FLOAT32_H

#include "edgec_binary_float32.h"

typedef edgec_binary_float32_params edgec_mul_float32_params;

/* out = in1 * in2, element by element. */
void edgec_mul_float32(const edgec_mul_float32_params *p, const float *in1, const float *in2,
                       float *out);

#endif
