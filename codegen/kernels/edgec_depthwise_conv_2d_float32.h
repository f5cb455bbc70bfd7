#ifndef EDGEC_DEPTHWISE_CONV_2D_FLOAT32_H
#define EDGEC_DEPTHWISE_CONV_2D_FLOAT32_H

#include <stdint.h>

typedef struct {
    const float *weights; /* (kh, kw, in_ch * multiplier) */
    const float *bias;    /* (in_ch * multiplier) */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, multiplier;
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    float out_min, out_max;
} edgec_depthwise_conv_2d_float32_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, in_ch * multiplier); sums in the
 * order of TFLite's reference kernel. */
void edgec_depthwise_conv_2d_float32(const edgec_depthwise_conv_2d_float32_params *p,
                                     const float *in, float *out);

#endif
