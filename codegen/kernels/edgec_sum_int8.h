#ifndef EDGEC_SUM_INT8_H
#define EDGEC_SUM_INT8_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
    int32_t start; /* of every sum: minus zero point times count */
    int32_t multiplier, shift;
    int8_t out_zero_point;
} edgec_sum_int8_params;

/* out = sum of in over the reduced axes, rescaled. */
void edgec_sum_int8(const edgec_sum_int8_params *p, const int8_t *in, int8_t *out);

#endif
