#ifndef EDGEC_CONV_2D_INT8_MVE_STORED_H
#define EDGEC_CONV_2D_INT8_MVE_STORED_H

#include "edgec_conv_2d_int8_mve.h"
#include "edgec_stored_weights.h"

/* edgec_conv_2d_int8_mve on stored weights, which are written out for a group of output channels at
 * a time. */
typedef struct {
    edgec_stored_weights stored; /* length: the rows' depth */
    edgec_conv_2d_int8_mve_params layer; /* without weights; rows: of all groups */
    int32_t group; /* output channels written out */
    int32_t patch_bytes; /* of the layer's scratch */
} edgec_conv_2d_int8_mve_stored_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: group * depth + patch_bytes. */
void edgec_conv_2d_int8_mve_stored(const edgec_conv_2d_int8_mve_stored_params *p, const int8_t *in,
                                   int8_t *out, void *scratch);

#endif
