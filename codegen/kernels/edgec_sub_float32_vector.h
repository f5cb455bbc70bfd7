#ifndef EDGEC_SUB_FLOAT32_VECTOR_H
#define EDGEC_SUB_FLOAT32_VECTOR_H

#include "edgec_sub_float32.h"

typedef edgec_sub_float32_params edgec_sub_float32_vector_params;

/* edgec_sub_float32, a vector at a time. */
void edgec_sub_float32_vector(const edgec_sub_float32_vector_params *p, const float *in1,
                              const float *in2, float *out);

#endif
