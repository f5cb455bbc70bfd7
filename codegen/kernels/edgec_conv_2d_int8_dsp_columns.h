#ifndef EDGEC_CONV_2D_INT8_DSP_COLUMNS_H
#define EDGEC_CONV_2D_INT8_DSP_COLUMNS_H

#include "edgec_conv_2d_int8_dsp.h"

/* edgec_conv_2d_int8_dsp without the products that have zero weights in 4 output channels together.
 * The stream of weights has segments, for each 4 channels one for every 256 products begun. A
 * segment is: the bytes that follow, plus 1 if its pairs of products are odd in number; in that case
 * a pair; then two pairs at a time. One pair or two begin with a word of their products' numbers in
 * the segment, a byte each, and go on with two words a pair, of channels 0 1 and 2 3. */
typedef edgec_conv_2d_int8_dsp_params edgec_conv_2d_int8_dsp_columns_params;

void edgec_conv_2d_int8_dsp_columns(const edgec_conv_2d_int8_dsp_columns_params *p,
                                    const int8_t *in, int8_t *out, void *scratch);

#endif
