#ifndef EDGEC_BATCH_MATMUL_FLOAT32_H
#define EDGEC_BATCH_MATMUL_FLOAT32_H

#include <stdint.h>

#include "edgec_broadcast.h"

typedef struct {
    edgec_broadcast loops; /* over matrices */
    int32_t rows, columns, depth;
    int32_t row1, depth1;    /* steps in in1 */
    int32_t column2, depth2; /* steps in in2 */
} edgec_batch_matmul_float32_params;

/* in1 (..., rows, depth), in2 (..., depth, columns) -> out (..., rows, columns). */
void edgec_batch_matmul_float32(const edgec_batch_matmul_float32_params *p, const float *in1,
                                const float *in2, float *out);

#endif
