#ifndef EDGEC_CONV_2D_INT8_COLUMNS_H
#define EDGEC_CONV_2D_INT8_COLUMNS_H

#include "edgec_columns.h"
#include "edgec_conv_2d_int8.h"

/* edgec_conv_2d_int8 without the products that have zero weights in 4 output channels together. */
typedef struct {
    edgec_conv_2d_int8_params layer; /* without weights, in one group */
    edgec_columns columns; /* (out_ch / 4, begun or whole) */
} edgec_conv_2d_int8_columns_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch).
 * scratch: as edgec_conv_2d_int8. */
void edgec_conv_2d_int8_columns(const edgec_conv_2d_int8_columns_params *p, const int8_t *in,
                                int8_t *out, void *scratch);

#endif
