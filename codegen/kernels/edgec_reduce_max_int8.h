#ifndef EDGEC_REDUCE_MAX_INT8_H
#define EDGEC_REDUCE_MAX_INT8_H

#include "edgec_reduction.h"

typedef struct {
    edgec_reduction loops;
} edgec_reduce_max_int8_params;

/* out = largest of in over the reduced axes. */
void edgec_reduce_max_int8(const edgec_reduce_max_int8_params *p, const int8_t *in, int8_t *out);

#endif
