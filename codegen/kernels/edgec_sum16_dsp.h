/* Sums of products of int16 with int8 for cores with SMLAD, in 32 bits, and their rescaling.
 *
 * Weights come in words of two rows and two products: bytes (r0 k0, r1 k0, r0 k1, r1 k1). */
#ifndef EDGEC_SUM16_DSP_H
#define EDGEC_SUM16_DSP_H

#include <stdint.h>

/* acc * scale / 2^(33 + shift), halves up: scale is a 15-bit multiplier times 2^16,
 * 0 <= shift <= 29. */
static inline int32_t edgec_requant_short(int32_t acc, int32_t scale, int32_t shift)
{
    const int32_t high = (int32_t)((int64_t)acc * scale >> 32);
    return ((high >> shift) + 1) >> 1;
}

#if !defined(__ARM_FEATURE_DSP)

/* acc + products of one row of a weight word, 0 or 1, with two values; modulo 2^32. */
static inline uint32_t edgec_sum16_pair(uint32_t acc, int32_t weights, int32_t row, int32_t x0,
                                        int32_t x1)
{
    const uint32_t bytes = (uint32_t)weights >> (8 * row);
    const int32_t w0 = (int8_t)(bytes & 0xffu);
    const int32_t w1 = (int8_t)(bytes >> 16 & 0xffu);
    return acc + (uint32_t)(w0 * x0) + (uint32_t)(w1 * x1);
}

#endif

#endif
