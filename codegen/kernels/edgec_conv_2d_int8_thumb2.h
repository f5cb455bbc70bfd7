#ifndef EDGEC_CONV_2D_INT8_THUMB2_H
#define EDGEC_CONV_2D_INT8_THUMB2_H

#include <stdint.h>

/* For cores with 32-bit Thumb instructions, but none that work on bytes or halfwords in a word: 4
 * channels of 2 pixels at a time, so that each load serves 2 or 4 products. */
typedef struct {
    const int8_t *weights; /* (out_ch / 4, depth, 4), 0 where padded */
    const int32_t *channels; /* (out_ch / 4, {4 biases, 4 {scale, finish}}): edgec_requant_dsp.h */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch, depth; /* depth: kernel_h * kernel_w * in_ch, rounded up to 4 */
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int8_t in_zero_point, out_min, out_max;
} edgec_conv_2d_int8_thumb2_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch); scratch: 2 * depth bytes. */
void edgec_conv_2d_int8_thumb2(const edgec_conv_2d_int8_thumb2_params *p, const int8_t *in,
                               int8_t *out, void *scratch);

#endif
