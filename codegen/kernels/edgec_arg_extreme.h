/* Parameters and output of the kernels that find the place of an extreme element. */
#ifndef EDGEC_ARG_EXTREME_H
#define EDGEC_ARG_EXTREME_H

#include <stdint.h>

typedef struct {
    int32_t outer, size, inner;
    int8_t largest; /* 1: the largest element, 0: the smallest */
    int8_t wide;    /* 1: int64 output, 0: int32 */
} edgec_arg_extreme_params;

static inline void edgec_arg_extreme_store(const edgec_arg_extreme_params *p, void *out, int32_t at,
                                           int32_t index)
{
    if (p->wide) {
        ((int64_t *)out)[at] = index;
    } else {
        ((int32_t *)out)[at] = index;
    }
}

#endif
