#ifndef EDGEC_RELU_FLOAT32_H
#define EDGEC_RELU_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
    float out_min, out_max;
} edgec_relu_float32_params;

/* out = in limited to out_min .. out_max. */
void edgec_relu_float32(const edgec_relu_float32_params *p, const float *in, float *out);

#endif
