#ifndef EDGEC_FULLY_CONNECTED_INT8_MVE_STORED_H
#define EDGEC_FULLY_CONNECTED_INT8_MVE_STORED_H

#include "edgec_fully_connected_int8_mve.h"
#include "edgec_stored_weights.h"

/* edgec_fully_connected_int8_mve on stored weights, 16 rows written out at a time. */
typedef struct {
    edgec_stored_weights stored; /* length: the rows' depth */
    edgec_fully_connected_int8_mve_params layer; /* without weights */
} edgec_fully_connected_int8_mve_stored_params;

/* in (batches, depth) -> out (batches, rows). scratch: 16 * depth bytes. */
void edgec_fully_connected_int8_mve_stored(const edgec_fully_connected_int8_mve_stored_params *p,
                                           const int8_t *in, int8_t *out, void *scratch);

#endif
