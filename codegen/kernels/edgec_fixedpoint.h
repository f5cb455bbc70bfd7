/* gemmlowp's fixed-point functions; Q0.31 holds -1 .. 1. Source: gemmlowp fixedpoint.h. */
#ifndef EDGEC_FIXEDPOINT_H
#define EDGEC_FIXEDPOINT_H

#include <stdint.h>

#include "edgec_requant.h"

/* x * 2^n, saturated. */
static inline int32_t edgec_saturating_shift(int32_t x, int32_t n)
{
    const int64_t v = (int64_t)x * ((int64_t)1 << n);
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

/* 1 / (1 + a) in Q0.31 for 0 <= a < 1: Newton-Raphson in Q2.29. */
static inline int32_t edgec_one_over_one_plus_x(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + edgec_high_mul(half, -1010580540); /* 48/17 - 32/17 half */
    for (int i = 0; i < 3; ++i) {
        const int32_t error = ((int32_t)1 << 29) - edgec_high_mul(half, x);
        x += edgec_saturating_shift(edgec_high_mul(x, error), 2);
    }
    return edgec_saturating_shift(x, 1);
}

/* Leading zero bits of x > 0. */
static inline int32_t edgec_leading_zeros(uint32_t x)
{
    int32_t n = 0;
    while ((x & 0x80000000u) == 0) {
        x <<= 1;
        ++n;
    }
    return n;
}

#endif
