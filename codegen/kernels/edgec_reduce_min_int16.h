#ifndef EDGEC_REDUCE_MIN_INT16_H
#define EDGEC_REDUCE_MIN_INT16_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
} edgec_reduce_min_int16_params;

/* out = smallest of in over the reduced axes. */
void edgec_reduce_min_int16(const edgec_reduce_min_int16_params *p, const int16_t *in,
                            int16_t *out);

#endif
