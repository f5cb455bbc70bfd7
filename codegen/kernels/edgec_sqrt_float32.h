#ifndef EDGEC_SQRT_FLOAT32_H
#define EDGEC_SQRT_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_sqrt_float32_params;

/* out = sqrt(in). */
void edgec_sqrt_float32(const edgec_sqrt_float32_params *p, const float *in, float *out);

#endif
