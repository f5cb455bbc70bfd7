#ifndef EDGEC_CONV_2D_INT16_DSP_H
#define EDGEC_CONV_2D_INT16_DSP_H

#include <stdint.h>

/* For cores with SMLAD: 4 channels of 2 pixels at a time. Sums fit 32 bits. */
typedef struct {
    const int32_t *weights; /* (out_ch / 4, depth / 2, {rows 0 1, rows 2 3}) */
    const int32_t *starts;  /* (out_ch) */
    const int32_t *scales;  /* (out_ch), see edgec_sum16_dsp.h */
    const uint8_t *shifts;  /* (out_ch) */
    int32_t depth;          /* products of an output, rounded up to a multiple of 4 */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch;
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int16_t out_min, out_max;
} edgec_conv_2d_int16_dsp_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: 4 * depth bytes, aligned to 8. Channels are whole blocks but for the outputs: starts,
 * scales and shifts go on to a multiple of 4. */
void edgec_conv_2d_int16_dsp(const edgec_conv_2d_int16_dsp_params *p, const int16_t *in,
                             int16_t *out, void *scratch);

#endif
