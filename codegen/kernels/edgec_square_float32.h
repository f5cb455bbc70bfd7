#ifndef EDGEC_SQUARE_FLOAT32_H
#define EDGEC_SQUARE_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_square_float32_params;

/* out = in * in. */
void edgec_square_float32(const edgec_square_float32_params *p, const float *in, float *out);

#endif
