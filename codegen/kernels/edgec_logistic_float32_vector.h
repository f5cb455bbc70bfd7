#ifndef EDGEC_LOGISTIC_FLOAT32_VECTOR_H
#define EDGEC_LOGISTIC_FLOAT32_VECTOR_H

#include "edgec_logistic_float32.h"

typedef edgec_logistic_float32_params edgec_logistic_float32_vector_params;

/* edgec_logistic_float32, a vector at a time. */
void edgec_logistic_float32_vector(const edgec_logistic_float32_vector_params *p, const float *in,
                                   float *out);

#endif
