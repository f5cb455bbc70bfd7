#ifndef EDGEC_MAX_POOL_2D_INT16_H
#define EDGEC_MAX_POOL_2D_INT16_H

#include <stdint.h>

typedef struct {
    int16_t batches, in_h, in_w, channels;
    int16_t out_h, out_w, kernel_h, kernel_w;
    int16_t stride_h, stride_w, pad_top, pad_left;
    int16_t out_min, out_max;
} edgec_max_pool_2d_int16_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels). */
void edgec_max_pool_2d_int16(const edgec_max_pool_2d_int16_params *p, const int16_t *in,
                             int16_t *out);

#endif
