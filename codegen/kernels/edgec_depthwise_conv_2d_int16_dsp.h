#ifndef EDGEC_DEPTHWISE_CONV_2D_INT16_DSP_H
#define EDGEC_DEPTHWISE_CONV_2D_INT16_DSP_H

#include <stdint.h>

/* For cores with SMLAxy: 4 channels at a time, of a layer without multiplier and at least 4
 * channels; the last block ends with the last channel. Sums fit 32 bits. */
typedef struct {
    const int8_t *weights; /* (blocks, kh, kw, {c 0 2 1 3}) */
    const int32_t *starts; /* (blocks, 4) */
    const int32_t *scales; /* (blocks, 4), see edgec_sum16_dsp.h */
    const uint8_t *shifts; /* (blocks, 4) */
    int16_t batches, in_h, in_w, channels;
    int16_t out_h, out_w;
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int16_t out_min, out_max;
} edgec_depthwise_conv_2d_int16_dsp_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels). */
void edgec_depthwise_conv_2d_int16_dsp(const edgec_depthwise_conv_2d_int16_dsp_params *p,
                                       const int16_t *in, int16_t *out);

#endif
