#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_INT8_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_INT8_H

#include <stdint.h>

typedef struct {
    const int8_t *weights;   /* (out_size, in_size) */
    const float *bias;       /* (out_size) */
    const float *scales;     /* (out_size) */
    const int32_t *row_sums; /* (out_size) of the weights */
    int32_t batches, in_size, out_size;
    int32_t asymmetric; /* rows of inputs get a zero point, too */
    float out_min, out_max;
} edgec_fully_connected_float32_int8_params;

/* in (batches, in_size) -> out (batches, out_size), each row of inputs as int8 in scratch, in_size
 * bytes. Rounds as TFLite's tensor_utils. */
void edgec_fully_connected_float32_int8(const edgec_fully_connected_float32_int8_params *p,
                                        const float *in, float *out, void *scratch);

#endif
