#ifndef EDGEC_LOG_FLOAT32_H
#define EDGEC_LOG_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_log_float32_params;

/* out = log(in). */
void edgec_log_float32(const edgec_log_float32_params *p, const float *in, float *out);

#endif
