#ifndef EDGEC_MAX_POOL_2D_FLOAT32_VECTOR_H
#define EDGEC_MAX_POOL_2D_FLOAT32_VECTOR_H

#include "edgec_pool_float32_vector.h"

typedef edgec_pool_float32_vector edgec_max_pool_2d_float32_vector_params;

/* edgec_max_pool_2d_float32, a few vectors of channels at a time. */
void edgec_max_pool_2d_float32_vector(const edgec_max_pool_2d_float32_vector_params *p,
                                      const float *in, float *out);

#endif
