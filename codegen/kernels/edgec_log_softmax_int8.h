#ifndef EDGEC_LOG_SOFTMAX_INT8_H
#define EDGEC_LOG_SOFTMAX_INT8_H

#include <stdint.h>

typedef struct {
    const int32_t *exp; /* (size): exp of 0, -1, -2, ... steps of the input, Q12.19 */
    int32_t rows, depth, size;
    int32_t radius;                            /* steps below the maximum that count */
    int32_t multiplier, shift;                 /* from steps to Q5.26 */
    int32_t reverse_multiplier, reverse_shift; /* and back */
} edgec_log_softmax_int8_params;

/* in (rows, depth) -> out (rows, depth), scale 1/16, zero point 127. */
void edgec_log_softmax_int8(const edgec_log_softmax_int8_params *p, const int8_t *in, int8_t *out);

#endif
