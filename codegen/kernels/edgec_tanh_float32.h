#ifndef EDGEC_TANH_FLOAT32_H
#define EDGEC_TANH_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_tanh_float32_params;

/* out = tanh(in). */
void edgec_tanh_float32(const edgec_tanh_float32_params *p, const float *in, float *out);

#endif
