#ifndef EDGEC_CONV_2D_INT8_MVE_H
#define EDGEC_CONV_2D_INT8_MVE_H

#include <stdint.h>

#include "edgec_mve_products.h"

typedef struct {
    edgec_mve_rows rows; /* weights (out_ch, kh, kw, in_ch) */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w;
    int16_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int8_t in_zero_point;
} edgec_conv_2d_int8_mve_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: two windows; null where windows are single pixels that lie inside. */
void edgec_conv_2d_int8_mve(const edgec_conv_2d_int8_mve_params *p, const int8_t *in, int8_t *out,
                            void *scratch);

/* The same to pixels that are `stride` bytes apart. */
void edgec_conv_2d_int8_mve_strided(const edgec_conv_2d_int8_mve_params *p, const int8_t *in,
                                    int8_t *out, int32_t stride, void *scratch);

#endif
