/* Sums of products of int16 with int8, and how they are brought to the scale of an int16 output. */
#ifndef EDGEC_SUM16_H
#define EDGEC_SUM16_H

#include <stdint.h>

#include "edgec_requant.h"

#define EDGEC_SUM16_PRODUCTS 511 /* as many as surely add up to 32 bits */

/* A 15-bit multiplier, then a right shift of 1 .. 46: one rounding, halves up. */
static inline int32_t edgec_requant_reduced(int64_t sum, int32_t multiplier, int32_t shift)
{
    return (int32_t)((sum * multiplier + ((int64_t)1 << (shift - 1))) >> shift);
}

/* acc[i] += sum over k of a[k] * w[i * row + k], for four rows: a is read once for all four. */
static inline void edgec_sum16_rows4(const int16_t *a, const int8_t *w, int32_t row, int32_t n,
                                     int64_t acc[4])
{
    while (n > 0) {
        const int32_t part = n < EDGEC_SUM16_PRODUCTS ? n : EDGEC_SUM16_PRODUCTS;
        const int8_t *w1 = w + row;
        const int8_t *w2 = w1 + row;
        const int8_t *w3 = w2 + row;
        int32_t acc0 = 0;
        int32_t acc1 = 0;
        int32_t acc2 = 0;
        int32_t acc3 = 0;
        for (int32_t k = 0; k < part; ++k) {
            const int32_t x = a[k];
            acc0 += x * w[k];
            acc1 += x * w1[k];
            acc2 += x * w2[k];
            acc3 += x * w3[k];
        }
        acc[0] += acc0;
        acc[1] += acc1;
        acc[2] += acc2;
        acc[3] += acc3;
        a += part;
        w += part;
        n -= part;
    }
}

/* acc + sum over k of a[k] * w[k]. */
static inline int64_t edgec_sum16_row(const int16_t *a, const int8_t *w, int32_t n, int64_t acc)
{
    while (n > 0) {
        const int32_t part = n < EDGEC_SUM16_PRODUCTS ? n : EDGEC_SUM16_PRODUCTS;
        int32_t sum = 0;
        for (int32_t k = 0; k < part; ++k) {
            sum += (int32_t)a[k] * w[k];
        }
        acc += sum;
        a += part;
        w += part;
        n -= part;
    }
    return acc;
}

#endif
