#ifndef EDGEC_FULLY_CONNECTED_INT8_VECTOR_H
#define EDGEC_FULLY_CONNECTED_INT8_VECTOR_H

#include "edgec_vector_products.h"

/* A row of the input is a pixel. */
typedef struct {
    edgec_vector_rows rows;
} edgec_fully_connected_int8_vector_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_int8_vector(const edgec_fully_connected_int8_vector_params *p,
                                       const int8_t *in, int8_t *out, void *scratch);

#endif
