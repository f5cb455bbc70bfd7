#ifndef EDGEC_EXP_FLOAT32_H
#define EDGEC_EXP_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_exp_float32_params;

/* out = exp(in). */
void edgec_exp_float32(const edgec_exp_float32_params *p, const float *in, float *out);

#endif
