#ifndef EDGEC_QUANTIZED_ROWS_VECTOR_H
#define EDGEC_QUANTIZED_ROWS_VECTOR_H

#include "edgec_quantized_row.h"

/* in (rows, size) -> out (rows, pitch), each row with a scale of its own, filled up with zeros; with
 * vectors. The values are those of edgec_row_value. */
void edgec_quantized_rows_vector(const float *in, int32_t rows, int32_t size, int32_t asymmetric,
                                 int32_t pitch, int8_t *out, edgec_row_scale *scales);

#endif
