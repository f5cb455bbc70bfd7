#ifndef EDGEC_GELU_TANH_FLOAT32_H
#define EDGEC_GELU_TANH_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_gelu_tanh_float32_params;

/* out = in / 2 * (1 + tanh(sqrt(2 / pi) * (in + 0.044715 in^3))). */
void edgec_gelu_tanh_float32(const edgec_gelu_tanh_float32_params *p, const float *in, float *out);

#endif
