#ifndef EDGEC_BATCH_MATMUL_INT8_H
#define EDGEC_BATCH_MATMUL_INT8_H

#include <stdint.h>

#include "edgec_broadcast.h"

typedef struct {
    edgec_broadcast loops; /* over matrices */
    int32_t rows, columns, depth;
    int32_t row1, depth1;    /* steps in in1 */
    int32_t column2, depth2; /* steps in in2 */
    int32_t multiplier, shift;
    int8_t zero_point1, zero_point2, out_zero_point;
} edgec_batch_matmul_int8_params;

/* in1 (..., rows, depth), in2 (..., depth, columns) -> out (..., rows, columns). */
void edgec_batch_matmul_int8(const edgec_batch_matmul_int8_params *p, const int8_t *in1,
                             const int8_t *in2, int8_t *out);

#endif
