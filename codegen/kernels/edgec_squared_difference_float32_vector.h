#ifndef EDGEC_SQUARED_DIFFERENCE_FLOAT32_VECTOR_H
#define EDGEC_SQUARED_DIFFERENCE_FLOAT32_VECTOR_H

#include "edgec_squared_difference_float32.h"

typedef edgec_squared_difference_float32_params edgec_squared_difference_float32_vector_params;

/* edgec_squared_difference_float32, a vector at a time. */
void edgec_squared_difference_float32_vector(
    const edgec_squared_difference_float32_vector_params *p, const float *in1, const float *in2,
    float *out);

#endif
