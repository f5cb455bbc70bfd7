#ifndef EDGEC_BATCH_MATMUL_INT16_H
#define EDGEC_BATCH_MATMUL_INT16_H

#include <stdint.h>

#include "edgec_broadcast.h"

typedef struct {
    edgec_broadcast loops; /* over matrices */
    int32_t rows, columns, depth;
    int32_t row1, depth1;    /* steps in in1 */
    int32_t column2, depth2; /* steps in in2 */
    int32_t multiplier, shift; /* 15 bits, and to the right */
} edgec_batch_matmul_int16_params;

/* in1 (..., rows, depth), in2 (..., depth, columns) -> out (..., rows, columns). */
void edgec_batch_matmul_int16(const edgec_batch_matmul_int16_params *p, const int16_t *in1,
                              const int16_t *in2, int16_t *out);

#endif
