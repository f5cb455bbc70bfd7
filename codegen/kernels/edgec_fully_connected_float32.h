#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_H

#include <stdint.h>

typedef struct {
    const float *weights; /* (out_size, in_size) */
    const float *bias;    /* (out_size) */
    int32_t batches, in_size, out_size;
    float out_min, out_max;
} edgec_fully_connected_float32_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_float32(const edgec_fully_connected_float32_params *p, const float *in,
                                   float *out);

#endif
