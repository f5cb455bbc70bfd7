/* Products that skip what is zero in four rows of weights together. */
#ifndef EDGEC_COLUMNS_H
#define EDGEC_COLUMNS_H

#include <stdint.h>

/* Where the next four rows are. */
typedef struct {
    const int32_t *counts; /* of each four rows: columns */
    const uint8_t *gaps; /* of each column: products from the one before, at first from -1 */
    const int8_t *weights; /* (columns, 4 rows) */
} edgec_columns;

/* acc[i] += sum over k of a[k] * w[k][i], and step to the next four rows. */
static inline void edgec_columns_dot4(edgec_columns *at, const int8_t *a, int32_t acc[4])
{
    const int8_t *w = at->weights;
    const uint8_t *gap = at->gaps;
    const uint8_t *end = gap + *at->counts++;
    int32_t acc0 = acc[0];
    int32_t acc1 = acc[1];
    int32_t acc2 = acc[2];
    int32_t acc3 = acc[3];
    int32_t k = -1;
    for (; gap != end; w += 4) {
        k += *gap++;
        const int32_t x = a[k];
        acc0 += x * w[0];
        acc1 += x * w[1];
        acc2 += x * w[2];
        acc3 += x * w[3];
    }
    acc[0] = acc0;
    acc[1] = acc1;
    acc[2] = acc2;
    acc[3] = acc3;
    at->gaps = end;
    at->weights = w;
}

#endif
