/* What the kernels share that bring integers to another scale and type. */
#ifndef EDGEC_REQUANTIZE_H
#define EDGEC_REQUANTIZE_H

#include <stdint.h>

#include "edgec_requant.h"

typedef struct {
    int32_t size;
    int32_t multiplier, shift;
    int16_t zero_point, out_zero_point, out_min, out_max;
} edgec_requantize_params;

static inline int32_t edgec_requantize(const edgec_requantize_params *p, int32_t x)
{
    const int32_t zero = p->out_zero_point;
    const int32_t v = edgec_requant_double(x - p->zero_point, p->multiplier, p->shift);
    return edgec_clamp(v, p->out_min - zero, p->out_max - zero) + zero;
}

#endif
