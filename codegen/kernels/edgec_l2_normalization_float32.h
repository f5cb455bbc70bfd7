#ifndef EDGEC_L2_NORMALIZATION_FLOAT32_H
#define EDGEC_L2_NORMALIZATION_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t rows, depth;
} edgec_l2_normalization_float32_params;

/* in (rows, depth) -> out (rows, depth), each row divided by its length. */
void edgec_l2_normalization_float32(const edgec_l2_normalization_float32_params *p, const float *in,
                                    float *out);

#endif
