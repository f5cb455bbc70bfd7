#ifndef EDGEC_SOFTMAX_FLOAT32_VECTOR_H
#define EDGEC_SOFTMAX_FLOAT32_VECTOR_H

#include "edgec_softmax_float32.h"

typedef edgec_softmax_float32_params edgec_softmax_float32_vector_params;

/* edgec_softmax_float32, a vector at a time. */
void edgec_softmax_float32_vector(const edgec_softmax_float32_vector_params *p, const float *in,
                                  float *out);

#endif
