/* gemmlowp's logistic and tanh on 16-bit fixed point held in int32_t; Q0.15 holds -1 .. 1.
 * Source: gemmlowp fixedpoint.h for int16. */
#ifndef EDGEC_FIXEDPOINT16_H
#define EDGEC_FIXEDPOINT16_H

#include <stdint.h>

#include "edgec_requant.h"

/* Round(a * b / 2^15), halves up, saturated. */
static inline int32_t edgec_mul16(int32_t a, int32_t b)
{
    const int32_t v = (a * b + (1 << 14)) >> 15;
    return v > INT16_MAX ? INT16_MAX : v;
}

/* x * 2^n, saturated as gemmlowp does it. */
static inline int32_t edgec_saturating_shift16(int32_t x, int32_t n)
{
    const int32_t limit = (1 << (15 - n)) - 1;
    return x > limit ? INT16_MAX : x < -limit ? INT16_MIN : x * (1 << n);
}

/* exp(a) in Q0.15 for a <= 0 with `bits` integer bits, 1 <= bits <= 8. */
static inline int32_t edgec_exp16(int32_t a, int32_t bits)
{
    /* exp(-2^e) for e = -2 .. 4 */
    static const int16_t steps[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t fraction = 15 - bits;
    const int32_t quarter = 1 << (fraction - 2);
    const int32_t part = (a & (quarter - 1)) - quarter;
    const int32_t x = part * (1 << bits) + (1 << 12); /* Taylor polynomial round -1/8 */
    const int32_t x2 = edgec_mul16(x, x);
    const int32_t x3 = edgec_mul16(x2, x);
    const int32_t x4_over_4 = edgec_divide_by_pot(edgec_mul16(x2, x2), 2);
    const int32_t tail = edgec_divide_by_pot(edgec_mul16(x4_over_4 + x3, 10923) + x2, 1);
    const int32_t remainder = part - a;
    int32_t result = 28918 + edgec_mul16(x + tail, 28918);
    if (a == 0) {
        return INT16_MAX;
    }
    if (bits > 5 && a < -(1 << (20 - bits))) {
        return 0;
    }
    result = result > INT16_MAX ? INT16_MAX : result;
    for (int32_t i = 0; i < 7 && i - 2 < bits; ++i) {
        if ((remainder & (1 << (fraction + i - 2))) != 0) {
            result = edgec_mul16(result, steps[i]);
        }
    }
    return result;
}

/* 2 / (1 + a) in Q2.13 for 0 <= a < 1 in Q0.15: Newton-Raphson. */
static inline int32_t edgec_two_over_one_plus_x16(int32_t a)
{
    const int32_t half = (a + INT16_MAX + 1) >> 1;
    int32_t x = 23130 + edgec_mul16(half, -15420); /* 48/17 - 32/17 half */
    for (int i = 0; i < 3; ++i) {
        const int32_t error = (1 << 13) - edgec_mul16(half, x);
        x += edgec_saturating_shift16(edgec_mul16(x, error), 2);
    }
    return x;
}

/* 1 / (1 + exp(-a)) in Q0.15 for a with `bits` integer bits. */
static inline int32_t edgec_logistic16(int32_t a, int32_t bits)
{
    const int32_t e = edgec_exp16(a < 0 ? a : -a, bits);
    const int32_t v = edgec_saturating_shift16(edgec_two_over_one_plus_x16(e), 1);
    return a == 0 ? 1 << 14 : a > 0 ? v : INT16_MAX - v;
}

/* tanh(a) in Q0.15 for a with `bits` integer bits. */
static inline int32_t edgec_tanh16(int32_t a, int32_t bits)
{
    const int32_t e = edgec_exp16(a < 0 ? a : -a, bits + 1);
    const int32_t v = edgec_saturating_shift16(edgec_two_over_one_plus_x16(e) - (1 << 13), 2);
    return a == 0 ? 0 : a > 0 ? v : -v;
}

#endif
