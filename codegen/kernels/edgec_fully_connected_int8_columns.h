#ifndef EDGEC_FULLY_CONNECTED_INT8_COLUMNS_H
#define EDGEC_FULLY_CONNECTED_INT8_COLUMNS_H

#include "edgec_columns.h"
#include "edgec_fully_connected_int8.h"

/* edgec_fully_connected_int8 without the products that have zero weights in 4 rows together. */
typedef struct {
    edgec_fully_connected_int8_params layer; /* without weights */
    edgec_columns columns; /* (out_size / 4, begun or whole) */
} edgec_fully_connected_int8_columns_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_int8_columns(const edgec_fully_connected_int8_columns_params *p,
                                        const int8_t *in, int8_t *out);

#endif
