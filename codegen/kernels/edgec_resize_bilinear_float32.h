#ifndef EDGEC_RESIZE_BILINEAR_FLOAT32_H
#define EDGEC_RESIZE_BILINEAR_FLOAT32_H

#include <stdint.h>

typedef struct {
    const int16_t *rows;          /* (out_h, {first, second}), input rows of every output row */
    const float *row_shares;    /* (out_h), share of the second row, in 1 */
    const int16_t *columns;       /* (out_w, {first, second}) */
    const float *column_shares; /* (out_w) */
    int32_t batches, in_h, in_w, out_h, out_w, channels;
} edgec_resize_bilinear_float32_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels). */
void edgec_resize_bilinear_float32(const edgec_resize_bilinear_float32_params *p, const float *in,
                                   float *out);

#endif
