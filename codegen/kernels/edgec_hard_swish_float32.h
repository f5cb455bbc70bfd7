#ifndef EDGEC_HARD_SWISH_FLOAT32_H
#define EDGEC_HARD_SWISH_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_hard_swish_float32_params;

/* out = in * min(6, max(0, in + 3)) / 6. */
void edgec_hard_swish_float32(const edgec_hard_swish_float32_params *p, const float *in,
                              float *out);

#endif
