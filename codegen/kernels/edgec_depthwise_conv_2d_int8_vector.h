#ifndef EDGEC_DEPTHWISE_CONV_2D_INT8_VECTOR_H
#define EDGEC_DEPTHWISE_CONV_2D_INT8_VECTOR_H

#include "edgec_vector_image.h"

/* Neighbouring pixels of a row count as one, with all their channels. These are made in groups of
 * `units` times 16, in the order in which taps interleaved by 128-bit lanes come: of each unit, so
 * many in turn, the first four channels, the next four, and so on. In each group, weights are
 * (quads, channels in that order, 4 taps), or where `planar` is set (quads, 4 taps, channels). */
typedef struct {
    edgec_image image;
    const int8_t *weights;
    const int32_t *channels; /* (groups, units, edgec_channels16), in that order too */
    const int32_t *taps;     /* (quads, 4): offset of each tap from the pixel's first byte */
    int32_t quads, units, planar;
    int32_t batches, out_h, row_bytes; /* `row_bytes`: out_w * channels */
    int32_t joined;                    /* channels of the pixels that count as one */
    int32_t stride_h, pixel_bytes;     /* from one such pixel to the next, in the image */
    int32_t pad_top, reach, strip_rows;
    edgec_ends ends;
} edgec_depthwise_conv_2d_int8_vector_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels);
 * scratch: the image. */
void edgec_depthwise_conv_2d_int8_vector(const edgec_depthwise_conv_2d_int8_vector_params *p,
                                         const int8_t *in, int8_t *out, void *scratch);

#endif
