#ifndef EDGEC_TRANSPOSE_CONV_FLOAT32_H
#define EDGEC_TRANSPOSE_CONV_FLOAT32_H

#include <stdint.h>

typedef struct {
    const float *weights; /* (out_ch, kh, kw, in_ch) */
    const float *bias;    /* (out_ch) */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch;
    int16_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    float out_min, out_max;
} edgec_transpose_conv_float32_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch); sums in the order of
 * TFLite's reference kernel. */
void edgec_transpose_conv_float32(const edgec_transpose_conv_float32_params *p, const float *in,
                                  float *out);

#endif
