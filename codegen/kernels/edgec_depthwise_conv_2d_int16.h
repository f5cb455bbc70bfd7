#ifndef EDGEC_DEPTHWISE_CONV_2D_INT16_H
#define EDGEC_DEPTHWISE_CONV_2D_INT16_H

#include <stdint.h>

typedef struct {
    const int8_t *weights;      /* (kh, kw, in_ch * multiplier) */
    const int64_t *bias;        /* (in_ch * multiplier) */
    const int32_t *multipliers; /* (in_ch * multiplier), 15 bits */
    const int8_t *shifts;       /* (in_ch * multiplier), to the right */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, multiplier;
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int16_t out_min, out_max;
} edgec_depthwise_conv_2d_int16_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, in_ch * multiplier);
 * kernel_w is at most 511. */
void edgec_depthwise_conv_2d_int16(const edgec_depthwise_conv_2d_int16_params *p, const int16_t *in,
                                   int16_t *out);

#endif
