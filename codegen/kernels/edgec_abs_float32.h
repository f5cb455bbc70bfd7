#ifndef EDGEC_ABS_FLOAT32_H
#define EDGEC_ABS_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_abs_float32_params;

/* out = |in|. */
void edgec_abs_float32(const edgec_abs_float32_params *p, const float *in, float *out);

#endif
