/* Parameters of the float32 pools. */
#ifndef EDGEC_POOL_FLOAT32_VECTOR_H
#define EDGEC_POOL_FLOAT32_VECTOR_H

#include <stdint.h>

typedef struct {
    int16_t batches, in_h, in_w, channels;
    int16_t out_h, out_w, kernel_h, kernel_w;
    int16_t stride_h, stride_w, pad_top, pad_left;
    float out_min, out_max;
} edgec_pool_float32_vector;

#endif
