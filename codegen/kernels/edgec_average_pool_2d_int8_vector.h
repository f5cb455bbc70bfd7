#ifndef EDGEC_AVERAGE_POOL_2D_INT8_VECTOR_H
#define EDGEC_AVERAGE_POOL_2D_INT8_VECTOR_H

#include <stdint.h>

/* There are 16 channels or more. */
typedef struct {
    int32_t batches, in_h, in_w, channels;
    int32_t out_h, out_w, kernel_h, kernel_w;
    int32_t stride_h, stride_w, pad_top, pad_left;
    int32_t out_min, out_max;
} edgec_average_pool_2d_int8_vector_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels). */
void edgec_average_pool_2d_int8_vector(const edgec_average_pool_2d_int8_vector_params *p,
                                       const int8_t *in, int8_t *out);

#endif
