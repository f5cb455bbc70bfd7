#ifndef EDGEC_FULLY_CONNECTED_INT8_FLOAT64_H
#define EDGEC_FULLY_CONNECTED_INT8_FLOAT64_H

#include <stdint.h>

typedef struct {
    const int8_t *weights; /* (out_size, in_size) */
    const int32_t *bias;   /* (out_size), input zero point folded in */
    const double *scales;  /* (out_size): twice the scale of the sum in steps of the output */
    int32_t batches, in_size, out_size;
    int8_t out_zero_point, out_min, out_max;
} edgec_fully_connected_int8_float64_params;

/* in (batches, in_size) -> out (batches, out_size). Multiplies in float64, as the reference does:
 * for rows that no multiplier of 31 bits rounds as it for every sum. */
void edgec_fully_connected_int8_float64(const edgec_fully_connected_int8_float64_params *p,
                                        const int8_t *in, int8_t *out);

#endif
