#ifndef EDGEC_ELU_FLOAT32_H
#define EDGEC_ELU_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_elu_float32_params;

/* out = in where not negative, exp(in) - 1 elsewhere. */
void edgec_elu_float32(const edgec_elu_float32_params *p, const float *in, float *out);

#endif
