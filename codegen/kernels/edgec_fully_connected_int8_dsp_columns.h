#ifndef EDGEC_FULLY_CONNECTED_INT8_DSP_COLUMNS_H
#define EDGEC_FULLY_CONNECTED_INT8_DSP_COLUMNS_H

#include "edgec_fully_connected_int8_dsp.h"

/* edgec_fully_connected_int8_dsp without the products that have zero weights in 4 rows together. The
 * blocks are of 4 rows here. The stream of weights has segments, for each 4 rows one for every 256
 * products begun. A segment is the bytes that follow, and four columns at a time: a word of their
 * numbers in the segment, a byte each, and two words for each two, of rows 0 1 and 2 3. */
typedef edgec_fully_connected_int8_dsp_params edgec_fully_connected_int8_dsp_columns_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_int8_dsp_columns(const edgec_fully_connected_int8_dsp_columns_params *p,
                                            const int8_t *in, int8_t *out);

#endif
