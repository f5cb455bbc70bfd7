/* Integer rescaling with the two roundings TFLite knows. Multipliers are 0 or 2^30 .. 2^31 - 1;
 * a positive shift multiplies by 2^shift, a negative one divides.
 * Source: gemmlowp fixedpoint.h, TFLite kernels/internal/common.h. */
#ifndef EDGEC_REQUANT_H
#define EDGEC_REQUANT_H

#include <stdint.h>

/* One output channel of a product: start value and rescaling of its sum. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t shift;
} edgec_channel;

/* Round(a * b / 2^31), halves up; not both are INT32_MIN, so it cannot overflow. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
static inline int32_t edgec_high_mul(int32_t a, int32_t b)
{
    /* These cores only have the low word of a product: four products of halves instead. */
    const int32_t a0 = a & 0xffff;
    const int32_t a1 = a >> 16;
    const int32_t b0 = b & 0xffff;
    const int32_t b1 = b >> 16;
    const int32_t low = a0 * b1 + (int32_t)((uint32_t)a0 * (uint32_t)b0 >> 16);
    const int32_t middle = a1 * b0 + (low & 0xffff);
    const int32_t high = a1 * b1 + (low >> 16) + (middle >> 16);
    return (int32_t)((uint32_t)high * 2u) + (((middle & 0xffff) + 0x4000) >> 15);
}
#else
static inline int32_t edgec_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}
#endif

/* Round(x / 2^n), halves away from zero; 0 <= n <= 31. */
static inline int32_t edgec_divide_by_pot(int32_t x, int32_t n)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << n) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> n) + ((x & mask) > threshold ? 1 : 0);
}

/* Rounds twice: after the multiplication and after the shift. */
static inline int32_t edgec_requant_double(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        return edgec_high_mul((int32_t)((uint32_t)x << shift), multiplier);
    }
    return edgec_divide_by_pot(edgec_high_mul(x, multiplier), -shift);
}

/* Rounds once, halves up, then saturates to 32 bits. */
static inline int32_t edgec_requant_single(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t total = 31 - shift;
    const int64_t sum = (int64_t)x * multiplier + ((int64_t)1 << (total - 1));
    const int64_t result = sum >> total;
    return result > INT32_MAX ? INT32_MAX : result < INT32_MIN ? INT32_MIN : (int32_t)result;
}

static inline int32_t edgec_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

#endif
