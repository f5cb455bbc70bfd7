/* Parameters of the float32 dense layers by panels of outputs. */
#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR_H

#include <stdint.h>

typedef struct {
    const float *weights; /* (panels, in_size, panel) */
    const float *bias;    /* (panels, panel) */
    int32_t batches, in_size, out_size;
    float out_min, out_max;
} edgec_fully_connected_float32_vector;

#endif
