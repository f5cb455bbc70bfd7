#ifndef EDGEC_CONV_2D_INT8_VECTOR_H
#define EDGEC_CONV_2D_INT8_VECTOR_H

#include "edgec_vector_products.h"

typedef struct {
    edgec_vector_rows rows;
} edgec_conv_2d_int8_vector_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch). */
void edgec_conv_2d_int8_vector(const edgec_conv_2d_int8_vector_params *p, const int8_t *in,
                               int8_t *out, void *scratch);

#endif
