#ifndef EDGEC_CONV_2D_INT8_STORED_H
#define EDGEC_CONV_2D_INT8_STORED_H

#include "edgec_conv_2d_int8.h"
#include "edgec_stored_weights.h"

/* edgec_conv_2d_int8 on stored weights, which are written out for a group of output channels at a
 * time. */
typedef struct {
    edgec_stored_weights stored; /* length: kernel_h * kernel_w * in_ch */
    edgec_conv_2d_int8_params layer; /* without weights; one group of channels, out_ch in all */
    int32_t group; /* output channels written out */
} edgec_conv_2d_int8_stored_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: (group + 1) * length bytes. */
void edgec_conv_2d_int8_stored(const edgec_conv_2d_int8_stored_params *p, const int8_t *in,
                               int8_t *out, void *scratch);

#endif
