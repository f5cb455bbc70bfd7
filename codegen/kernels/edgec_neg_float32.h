#ifndef EDGEC_NEG_FLOAT32_H
#define EDGEC_NEG_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_neg_float32_params;

/* out = -in. */
void edgec_neg_float32(const edgec_neg_float32_params *p, const float *in, float *out);

#endif
