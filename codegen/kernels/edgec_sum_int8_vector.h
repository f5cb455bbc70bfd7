#ifndef EDGEC_SUM_INT8_VECTOR_H
#define EDGEC_SUM_INT8_VECTOR_H

#include "edgec_vector.h"

/* There are 16 channels or more. */
typedef struct {
    const int32_t *scale; /* edgec_channels16; what sums start from is in it */
    int32_t batches, pixels, channels;
    edgec_ends ends;
} edgec_sum_int8_vector_params;

/* in (batches, pixels, channels) -> out (batches, channels): the sum over pixels, rescaled. */
void edgec_sum_int8_vector(const edgec_sum_int8_vector_params *p, const int8_t *in, int8_t *out);

#endif
