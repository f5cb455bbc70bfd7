#ifndef EDGEC_FULLY_CONNECTED_INT8_H
#define EDGEC_FULLY_CONNECTED_INT8_H

#include <stdint.h>

#include "edgec_requant.h"

typedef struct {
    const int8_t *weights; /* (out_size, in_size) */
    const edgec_channel *channels; /* (out_size), input zero point folded into the bias */
    int32_t batches, in_size, out_size;
    int8_t out_zero_point, out_min, out_max;
    int8_t single_rounding; /* 1: round once, 0: twice */
} edgec_fully_connected_int8_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_int8(const edgec_fully_connected_int8_params *p, const int8_t *in,
                                int8_t *out);

#endif
