#ifndef EDGEC_FULLY_CONNECTED_INT16_H
#define EDGEC_FULLY_CONNECTED_INT16_H

#include <stdint.h>

typedef struct {
    const int8_t *weights; /* (out_size, in_size) */
    const int64_t *bias;   /* (out_size) */
    const double *scales;  /* (out_size): twice the scale of the sum in steps of the output */
    int32_t batches, in_size, out_size;
    int16_t out_min, out_max;
} edgec_fully_connected_int16_params;

/* in (batches, in_size) -> out (batches, out_size). The reference multiplies in float64; no other
 * arithmetic rounds as it does for every sum. */
void edgec_fully_connected_int16(const edgec_fully_connected_int16_params *p, const int16_t *in,
                                 int16_t *out);

#endif
