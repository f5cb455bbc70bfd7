#ifndef EDGEC_LOGISTIC_FLOAT32_H
#define EDGEC_LOGISTIC_FLOAT32_H

#include <stdint.h>

typedef struct {
    int32_t size;
} edgec_logistic_float32_params;

/* out = 1 / (1 + exp(-in)). */
void edgec_logistic_float32(const edgec_logistic_float32_params *p, const float *in, float *out);

#endif
