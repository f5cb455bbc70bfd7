/* Dot products of one int8 row with rows of int8 weights. */
#ifndef EDGEC_DOT_H
#define EDGEC_DOT_H

#include <stdint.h>

/* acc[i] += sum over k of a[k] * w[i * row + k], for four rows: a is read once for all four. */
static inline void edgec_dot4(const int8_t *a, const int8_t *w, int32_t row, int32_t n,
                              int32_t acc[4])
{
    const int8_t *w1 = w + row;
    const int8_t *w2 = w1 + row;
    const int8_t *w3 = w2 + row;
    int32_t acc0 = acc[0];
    int32_t acc1 = acc[1];
    int32_t acc2 = acc[2];
    int32_t acc3 = acc[3];
    for (int32_t k = 0; k < n; ++k) {
        const int32_t x = a[k];
        acc0 += x * w[k];
        acc1 += x * w1[k];
        acc2 += x * w2[k];
        acc3 += x * w3[k];
    }
    acc[0] = acc0;
    acc[1] = acc1;
    acc[2] = acc2;
    acc[3] = acc3;
}

/* acc + sum over k of a[k] * w[k]. */
static inline int32_t edgec_dot1(const int8_t *a, const int8_t *w, int32_t n, int32_t acc)
{
    for (int32_t k = 0; k < n; ++k) {
        acc += (int32_t)a[k] * w[k];
    }
    return acc;
}

#endif
