#ifndef EDGEC_RSQRT_FLOAT32_H
#define EDGEC_RSQRT_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_rsqrt_float32_params;

/* out = 1 / sqrt(in). */
void edgec_rsqrt_float32(const edgec_rsqrt_float32_params *p, const float *in, float *out);

#endif
