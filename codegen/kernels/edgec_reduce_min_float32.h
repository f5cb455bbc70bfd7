#ifndef EDGEC_REDUCE_MIN_FLOAT32_H
#define EDGEC_REDUCE_MIN_FLOAT32_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
} edgec_reduce_min_float32_params;

/* out = smallest of in over the reduced axes. */
void edgec_reduce_min_float32(const edgec_reduce_min_float32_params *p, const float *in,
                              float *out);

#endif
