#ifndef EDGEC_REDUCE_MAX_FLOAT32_H
#define EDGEC_REDUCE_MAX_FLOAT32_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
} edgec_reduce_max_float32_params;

/* out = largest of in over the reduced axes. */
void edgec_reduce_max_float32(const edgec_reduce_max_float32_params *p, const float *in,
                              float *out);

#endif
