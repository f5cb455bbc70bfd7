#ifndef EDGEC_SUM_INT16_H
#define EDGEC_SUM_INT16_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
    int32_t multiplier, shift;
} edgec_sum_int16_params;

/* out = sum of in over the reduced axes, rescaled; the sum fits 32 bits. */
void edgec_sum_int16(const edgec_sum_int16_params *p, const int16_t *in, int16_t *out);

#endif
