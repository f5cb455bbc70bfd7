/* Logistic function and tanh of int16 by linear interpolation of one table. */
#ifndef EDGEC_SIGMOID_INT16_H
#define EDGEC_SIGMOID_INT16_H

#include <stdint.h>

typedef struct {
    const uint16_t *table; /* (256): 65536 / (1 + exp(-i / 24)) */
    int32_t size;
    int32_t multiplier, shift; /* of the input, to steps of 1/12288 */
    int32_t is_tanh;           /* 1: 2 * logistic(2 * x) - 1 */
} edgec_sigmoid_int16_params;

/* in (size) -> out (size), 32768 is one. */
void edgec_sigmoid_int16(const edgec_sigmoid_int16_params *p, const int16_t *in, int16_t *out);

#endif
