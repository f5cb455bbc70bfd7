#ifndef EDGEC_L2_NORMALIZATION_INT8_H
#define EDGEC_L2_NORMALIZATION_INT8_H

#include <stdint.h>

typedef struct {
    int32_t rows, depth; /* depth is at most 32767, so that the sum of squares fits */
    int8_t in_zero_point;
} edgec_l2_normalization_int8_params;

/* in (rows, depth) -> out (rows, depth), each row divided by its length; scale 1/128. */
void edgec_l2_normalization_int8(const edgec_l2_normalization_int8_params *p, const int8_t *in,
                                 int8_t *out);

#endif
