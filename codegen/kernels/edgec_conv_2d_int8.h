#ifndef EDGEC_CONV_2D_INT8_H
#define EDGEC_CONV_2D_INT8_H

#include <stdint.h>

#include "edgec_requant.h"

typedef struct {
    const int8_t *weights; /* (out_ch, kh, kw, in_ch / groups) */
    const edgec_channel *channels; /* (out_ch), input zero point folded into the bias */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch, groups;
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int8_t in_zero_point, out_zero_point, out_min, out_max;
} edgec_conv_2d_int8_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: kernel_h * kernel_w * in_ch / groups bytes; unused, and may be null, for an unpadded
 * 1x1 kernel in one group. */
void edgec_conv_2d_int8(const edgec_conv_2d_int8_params *p, const int8_t *in, int8_t *out,
                        void *scratch);

/* The same to pixels that are `stride` bytes apart. */
void edgec_conv_2d_int8_strided(const edgec_conv_2d_int8_params *p, const int8_t *in, int8_t *out,
                                int32_t stride, void *scratch);

#endif
