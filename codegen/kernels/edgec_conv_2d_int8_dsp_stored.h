#ifndef EDGEC_CONV_2D_INT8_DSP_STORED_H
#define EDGEC_CONV_2D_INT8_DSP_STORED_H

#include "edgec_conv_2d_int8_dsp.h"
#include "edgec_stored_weights.h"

/* edgec_conv_2d_int8_dsp on stored weights, which are written out for a group of output channels at
 * a time. */
typedef struct {
    edgec_stored_weights stored; /* length: the layer's depth */
    edgec_conv_2d_int8_dsp_params layer; /* without weights; out_ch: of all groups */
    int32_t group; /* output channels, a multiple of 4 */
} edgec_conv_2d_int8_dsp_stored_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: group * depth bytes, then 2 * depth or what the layer takes for one group, whichever is
 * more. Aligned to 8. */
void edgec_conv_2d_int8_dsp_stored(const edgec_conv_2d_int8_dsp_stored_params *p, const int8_t *in,
                                   int8_t *out, void *scratch);

#endif
