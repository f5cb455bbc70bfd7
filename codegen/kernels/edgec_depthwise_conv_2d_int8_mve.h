#ifndef EDGEC_DEPTHWISE_CONV_2D_INT8_MVE_H
#define EDGEC_DEPTHWISE_CONV_2D_INT8_MVE_H

#include <stdint.h>

/* Sixteen channels are made at a time, in four vectors of every fourth channel from 0, 2, 1, 3 on.
 * Their 84 words in `stream`: 4 x 4 biases with the input zero point folded in, 9 x 16 bytes of
 * weights, 4 x {4 multipliers, 4 shifts}. Shifts are 0 .. -31, and the magnitudes of the weights
 * of taps 0 and 1, 2 and 3, 4 and 5, 6 and 7 are at most 255 together. */
typedef struct {
    const int32_t *stream;
    int16_t batches, in_h, in_w, channels;
    int16_t out_h, out_w;
    int16_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int8_t in_zero_point, out_zero_point, out_min, out_max;
} edgec_depthwise_conv_2d_int8_mve_params;

/* 3x3 windows: in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels).
 * scratch: a pixel for the border; null where no window reaches over it. */
void edgec_depthwise_conv_2d_int8_mve(const edgec_depthwise_conv_2d_int8_mve_params *p,
                                      const int8_t *in, int8_t *out, void *scratch);

#endif
