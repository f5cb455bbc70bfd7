#ifndef EDGEC_AVERAGE_POOL_2D_INT8_MVE_H
#define EDGEC_AVERAGE_POOL_2D_INT8_MVE_H

#include <stdint.h>

typedef struct {
    int16_t batches, in_h, in_w, channels;
    int16_t out_h, out_w, kernel_h, kernel_w;
    int16_t stride_h, stride_w, pad_top, pad_left;
    int8_t out_min, out_max;
} edgec_average_pool_2d_int8_mve_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels); windows have at most
 * 255 pixels, which surely add up to 16 bits. */
void edgec_average_pool_2d_int8_mve(const edgec_average_pool_2d_int8_mve_params *p,
                                    const int8_t *in, int8_t *out);

#endif
