#ifndef EDGEC_SUM_FLOAT32_H
#define EDGEC_SUM_FLOAT32_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
    float divisor;
} edgec_sum_float32_params;

/* out = sum of in over the reduced axes, divided. */
void edgec_sum_float32(const edgec_sum_float32_params *p, const float *in, float *out);

#endif
