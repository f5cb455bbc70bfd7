#ifndef EDGEC_LEAKY_RELU_FLOAT32_H
#define EDGEC_LEAKY_RELU_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
    float alpha;
} edgec_leaky_relu_float32_params;

/* out = in where positive, alpha * in elsewhere. */
void edgec_leaky_relu_float32(const edgec_leaky_relu_float32_params *p, const float *in,
                              float *out);

#endif
