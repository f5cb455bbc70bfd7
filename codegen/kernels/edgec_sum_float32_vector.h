#ifndef EDGEC_SUM_FLOAT32_VECTOR_H
#define EDGEC_SUM_FLOAT32_VECTOR_H

#include <stdint.h>

typedef struct {
    int32_t outer, reduced, inner;
    float divisor;
} edgec_sum_float32_vector_params;

/* in (outer, reduced, inner) -> out (outer, inner), sums divided; a vector at a time. */
void edgec_sum_float32_vector(const edgec_sum_float32_vector_params *p, const float *in,
                              float *out);

#endif
