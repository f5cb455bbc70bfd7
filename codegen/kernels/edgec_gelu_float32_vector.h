#ifndef EDGEC_GELU_FLOAT32_VECTOR_H
#define EDGEC_GELU_FLOAT32_VECTOR_H

#include "edgec_gelu_float32.h"

typedef edgec_gelu_float32_params edgec_gelu_float32_vector_params;

/* edgec_gelu_float32, a vector at a time. */
void edgec_gelu_float32_vector(const edgec_gelu_float32_vector_params *p, const float *in,
                               float *out);

#endif
