#ifndef EDGEC_CONV_2D_INT8_DSP_WINOGRAD_H
#define EDGEC_CONV_2D_INT8_DSP_WINOGRAD_H

#include <stdint.h>

/* 3x3 convolution of stride 1 by Winograd's F(2x2, 3x3), exact: the filter transform is scaled by
 * 4, so that all of it is integer, and the sums, four times too large, are divided at the end.
 * in_ch is a multiple of 8, out_ch of 4. Channels come in fours, in the order 0 2 1 3. */
typedef struct {
    const int32_t *weights;  /* (out_ch / 4, 16 points, in_ch / 2 pairs, 4 channels) */
    const int32_t *channels; /* (out_ch, {4 * bias, scale, finish}), see edgec_requant_dsp.h */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch;
    int16_t pad_top, pad_left;
    int8_t in_zero_point, out_min, out_max;
} edgec_conv_2d_int8_dsp_winograd_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: 65 * in_ch + 512 bytes, aligned to 8. */
void edgec_conv_2d_int8_dsp_winograd(const edgec_conv_2d_int8_dsp_winograd_params *p,
                                     const int8_t *in, int8_t *out, void *scratch);

#endif
