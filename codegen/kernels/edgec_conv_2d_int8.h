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

/* All output channels of one group at one pixel, whose window is `patch`. */
typedef void edgec_conv_2d_int8_sums(const edgec_conv_2d_int8_params *p, const int8_t *patch,
                                     int32_t group, int8_t *out);
edgec_conv_2d_int8_sums edgec_conv_2d_int8_pixel;

/* The same with sums of another kind, to pixels that are `stride` bytes apart. */
void edgec_conv_2d_int8_windows(const edgec_conv_2d_int8_params *p, const int8_t *in, int8_t *out,
                                int32_t stride, edgec_conv_2d_int8_sums *pixel, void *scratch);

static inline int8_t edgec_conv_2d_int8_finish(const edgec_conv_2d_int8_params *p,
                                               const edgec_channel *c, int32_t acc)
{
    const int32_t v = edgec_requant_double(acc, c->multiplier, c->shift) + p->out_zero_point;
    return (int8_t)edgec_clamp(v, p->out_min, p->out_max);
}

#endif
