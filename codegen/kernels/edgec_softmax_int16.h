#ifndef EDGEC_SOFTMAX_INT16_H
#define EDGEC_SOFTMAX_INT16_H

#include <stdint.h>

typedef struct {
    const int16_t *exp;        /* (513): exp(x) for -10 <= x <= 0, see edgec_lookup_int16.h */
    const int16_t *reciprocal; /* (513): 1 / (1 + x) for 0 <= x <= 1 */
    int32_t rows, depth;
    int32_t multiplier, shift; /* of differences, to 1/65535 of 10 */
} edgec_softmax_int16_params;

/* in (rows, depth) -> out (rows, depth), each row sums up to about 32768. */
void edgec_softmax_int16(const edgec_softmax_int16_params *p, const int16_t *in, int16_t *out);

#endif
