/* Dense int8 products with MVE, on plain row-major weights: no packing, tails by predication.
 * Without MVE the same functions are portable C. */
#ifndef EDGEC_MVE_PRODUCTS_H
#define EDGEC_MVE_PRODUCTS_H

#include <stdint.h>

/* Output channels. `multipliers` are as in edgec_requant.h; `shifts` are 0 to the right. */
typedef struct {
    const int8_t *weights; /* (rows, depth) */
    const int32_t *biases; /* input zero point folded in */
    const int32_t *multipliers;
    const int8_t *shifts; /* 0 .. -31; all below 0 to round once */
    int32_t depth;
    int32_t rows;
    int8_t out_zero_point, out_min, out_max;
} edgec_mve_rows;

/* All rows of two inputs of `depth` bytes, rounded twice, to `rows` bytes each. */
void edgec_mve_two_inputs(const edgec_mve_rows *r, const int8_t *a, const int8_t *b, int8_t *out_a,
                          int8_t *out_b);

/* All rows of one input of `depth` bytes. */
void edgec_mve_one_input(const edgec_mve_rows *r, const int8_t *in, int8_t *out,
                         int32_t single_rounding);

#endif
