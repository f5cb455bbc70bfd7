#ifndef EDGEC_GELU_FLOAT32_H
#define EDGEC_GELU_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_gelu_float32_params;

/* out = in / 2 * erfc(-in / sqrt(2)). */
void edgec_gelu_float32(const edgec_gelu_float32_params *p, const float *in, float *out);

#endif
