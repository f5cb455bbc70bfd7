#ifndef EDGEC_SOFTMAX_INT8_H
#define EDGEC_SOFTMAX_INT8_H

#include <stdint.h>

typedef struct {
    const int32_t *exp; /* (size): exp of 0, -1, -2, ... steps of the input, Q0.31 */
    int32_t rows, depth, size;
} edgec_softmax_int8_params;

/* in (rows, depth) -> out (rows, depth), scale 1/256, zero point -128. */
void edgec_softmax_int8(const edgec_softmax_int8_params *p, const int8_t *in, int8_t *out);

#endif
