#ifndef EDGEC_CONV_2D_INT8_DSP_H
#define EDGEC_CONV_2D_INT8_DSP_H

#include <stdint.h>

#include "edgec_conv_2d_int8_dsp_block.h"

/* A window is read in `runs_h * runs_w` runs of `run` bytes that follow each other in the input:
 * whole window rows, or single taps where the columns are dilated. Each run counts as `run_depth`
 * products, `run` rounded up to a multiple of 4; the weights beyond `run` are zero. */
typedef struct {
    const int32_t *weights; /* streams, see edgec_conv_2d_int8_dsp_block.h */
    const int32_t *channels;
    const uint8_t *shifts; /* null, or (out_ch / 4, 4): channels then lacks every finish */
    int32_t depth; /* runs_h * runs_w * run_depth */
    int32_t run, run_depth;
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch;
    int16_t runs_h, runs_w, taps_w; /* taps_w: columns of one run */
    int16_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int8_t in_zero_point, out_zero_point, out_min, out_max;
} edgec_conv_2d_int8_dsp_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: 4 * depth bytes and, unless every run can be read in place, in_ch more where that is a
 * multiple of 4, else 3 * run_depth; where shifts are given, 48 more per 4
 * output channels, begun or whole. Aligned to 8. */
void edgec_conv_2d_int8_dsp(const edgec_conv_2d_int8_dsp_params *p, const int8_t *in, int8_t *out,
                            void *scratch);

/* The products of two widened windows: edgec_conv_2d_int8_dsp_pixels, or another. */
typedef void edgec_conv_2d_int8_dsp_sums(edgec_conv_2d_int8_dsp_blocks *work, int8_t *out,
                                         int32_t pixels);

/* The same with products of another kind, to pixels that are `out_stride` bytes apart. */
void edgec_conv_2d_int8_dsp_windows(const edgec_conv_2d_int8_dsp_params *p, const int8_t *in,
                                    int8_t *out, int32_t out_stride,
                                    edgec_conv_2d_int8_dsp_sums *sums, void *scratch);

#endif
