#ifndef EDGEC_CONV_2D_INT16_H
#define EDGEC_CONV_2D_INT16_H

#include <stdint.h>

typedef struct {
    const int8_t *weights;      /* (out_ch, kh, kw, in_ch / groups) */
    const int64_t *bias;        /* (out_ch) */
    const int32_t *multipliers; /* (out_ch): 15 bits, or 31 where it rounds twice */
    const int8_t *shifts;       /* (out_ch): to the right, or as in edgec_requant_double */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch, groups;
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int16_t out_min, out_max;
    int8_t rounds_twice; /* 1: as int8 does, of 32-bit sums */
} edgec_conv_2d_int16_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: 2 * kernel_h * kernel_w * in_ch / groups bytes; unused, and may be null, for an unpadded
 * 1x1 kernel in one group. */
void edgec_conv_2d_int16(const edgec_conv_2d_int16_params *p, const int16_t *in, int16_t *out,
                         void *scratch);

#endif
