#ifndef EDGEC_DEPTHWISE_CONV_2D_INT8_3X3_H
#define EDGEC_DEPTHWISE_CONV_2D_INT8_3X3_H

#include "edgec_depthwise_pairs.h"

typedef edgec_depthwise_pairs_params edgec_depthwise_conv_2d_int8_3x3_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, in_ch), filter 3x3, stride 1,
 * no clamp but that of int8. */
void edgec_depthwise_conv_2d_int8_3x3(const edgec_depthwise_conv_2d_int8_3x3_params *p,
                                      const int8_t *in, int8_t *out, void *scratch);

#endif
