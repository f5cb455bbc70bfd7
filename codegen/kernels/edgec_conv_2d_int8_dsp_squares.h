#ifndef EDGEC_CONV_2D_INT8_DSP_SQUARES_H
#define EDGEC_CONV_2D_INT8_DSP_SQUARES_H

#include "edgec_conv_2d_int8_dsp.h"

/* edgec_conv_2d_int8_dsp without the products of zero weights, by squares of 4 output channels and 4
 * products. The stream of weights is, for each 4 channels: the bytes that follow, plus 1 if the
 * squares are odd in number; in that case the bytes of lanes to skip, and a square; then pairs of
 * squares behind a word that has the bytes to skip before each. */
typedef edgec_conv_2d_int8_dsp_params edgec_conv_2d_int8_dsp_squares_params;

void edgec_conv_2d_int8_dsp_squares(const edgec_conv_2d_int8_dsp_squares_params *p,
                                    const int8_t *in, int8_t *out, void *scratch);

#endif
