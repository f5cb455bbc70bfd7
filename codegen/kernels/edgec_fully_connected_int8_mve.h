#ifndef EDGEC_FULLY_CONNECTED_INT8_MVE_H
#define EDGEC_FULLY_CONNECTED_INT8_MVE_H

#include <stdint.h>

#include "edgec_mve_products.h"

typedef struct {
    edgec_mve_rows rows;
    int32_t batches;
    int32_t single_rounding;
} edgec_fully_connected_int8_mve_params;

/* in (batches, depth) -> out (batches, rows). */
void edgec_fully_connected_int8_mve(const edgec_fully_connected_int8_mve_params *p,
                                    const int8_t *in, int8_t *out);

#endif
