#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_INT8_VECTOR_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_INT8_VECTOR_H

#include "edgec_quantized_rows_vector.h"
#include "edgec_vector_real.h"

/* Channels are filled up to sets of 16. */
typedef struct {
    const int8_t *weights;   /* (out_size / 16, quad_count, 16, 4) */
    const float *bias;       /* (out_size / 16, 16) */
    const float *scales;     /* (out_size / 16, 16) */
    const int32_t *row_sums; /* (out_size / 16, 16) of the weights */
    const int32_t *quads;    /* offset of every four inputs from a row's first */
    int32_t quad_count;
    int32_t batches, in_size, out_size;
    int32_t strip_rows; /* rows that are made integers at a time */
    int32_t asymmetric; /* rows of inputs get a zero point, too */
    edgec_real_ends ends;
} edgec_fully_connected_float32_int8_vector_params;

/* in (batches, in_size) -> out (batches, out_size); scratch: strip_rows edgec_row_scale, then as
 * many rows of quad_count * 4 bytes, and EDGEC_SLACK. Answers as edgec_fully_connected_float32_int8;
 * no weight is -128. */
void edgec_fully_connected_float32_int8_vector(
    const edgec_fully_connected_float32_int8_vector_params *p, const float *in, float *out,
    void *scratch);

#endif
