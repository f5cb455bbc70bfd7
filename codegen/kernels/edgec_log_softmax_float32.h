#ifndef EDGEC_LOG_SOFTMAX_FLOAT32_H
#define EDGEC_LOG_SOFTMAX_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t rows, depth;
} edgec_log_softmax_float32_params;

/* in (rows, depth) -> out (rows, depth). */
void edgec_log_softmax_float32(const edgec_log_softmax_float32_params *p, const float *in,
                               float *out);

#endif
