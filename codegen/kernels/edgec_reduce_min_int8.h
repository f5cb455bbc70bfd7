#ifndef EDGEC_REDUCE_MIN_INT8_H
#define EDGEC_REDUCE_MIN_INT8_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
} edgec_reduce_min_int8_params;

/* out = smallest of in over the reduced axes. */
void edgec_reduce_min_int8(const edgec_reduce_min_int8_params *p, const int8_t *in, int8_t *out);

#endif
