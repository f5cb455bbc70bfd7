#ifndef EDGEC_CONV_2D_INT8_THUMB1_H
#define EDGEC_CONV_2D_INT8_THUMB1_H

#include <stdint.h>

#include "edgec_requant.h"

/* For cores that have 16-bit instructions only. Bytes are unsigned, because only unsigned loads take
 * an offset there: x + 128 and w + 128. With u = x + 128 and v = w + 128,
 *     sum (x - zero) * w = sum u * v - 128 * sum u - (128 + zero) * sum w
 * and the last term is in the bias. */
typedef struct {
    const uint8_t *weights; /* (out_ch / 4, depth, 4): v, 0 where padded */
    const edgec_channel *channels; /* (out_ch), last term of the sum above in the bias */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch, depth; /* depth: kernel_h * kernel_w * in_ch, rounded up to 4 */
    int16_t kernel_h, kernel_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int8_t in_zero_point, out_zero_point, out_min, out_max;
} edgec_conv_2d_int8_thumb1_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch); scratch: depth bytes. */
void edgec_conv_2d_int8_thumb1(const edgec_conv_2d_int8_thumb1_params *p, const int8_t *in,
                               int8_t *out, void *scratch);

#endif
