#ifndef EDGEC_TRANSPOSE_CONV_INT8_H
#define EDGEC_TRANSPOSE_CONV_INT8_H

#include <stdint.h>

#include "edgec_requant.h"

typedef struct {
    const int8_t *weights; /* (out_ch, kh, kw, in_ch) */
    const edgec_channel *channels; /* (out_ch) */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch;
    int16_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int8_t in_zero_point, out_zero_point, out_min, out_max;
} edgec_transpose_conv_int8_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch). */
void edgec_transpose_conv_int8(const edgec_transpose_conv_int8_params *p, const int8_t *in,
                               int8_t *out);

#endif
