#ifndef EDGEC_FULLY_CONNECTED_INT8_STORED_H
#define EDGEC_FULLY_CONNECTED_INT8_STORED_H

#include "edgec_fully_connected_int8.h"
#include "edgec_stored_weights.h"

/* edgec_fully_connected_int8 on stored weights, four rows written out at a time. */
typedef struct {
    edgec_stored_weights stored; /* length: in_size */
    edgec_fully_connected_int8_params layer; /* without weights */
} edgec_fully_connected_int8_stored_params;

/* in (batches, in_size) -> out (batches, out_size). scratch: 4 * in_size bytes. */
void edgec_fully_connected_int8_stored(const edgec_fully_connected_int8_stored_params *p,
                                       const int8_t *in, int8_t *out, void *scratch);

#endif
