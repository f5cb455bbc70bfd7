#ifndef EDGEC_PRELU_FLOAT32_H
#define EDGEC_PRELU_FLOAT32_H

#include "edgec_binary_float32.h"

typedef edgec_binary_float32_params edgec_prelu_float32_params;

/* out = in1 where it is not negative, elsewhere in1 * in2. */
void edgec_prelu_float32(const edgec_prelu_float32_params *p, const float *in1, const float *in2,
                         float *out);

#endif
