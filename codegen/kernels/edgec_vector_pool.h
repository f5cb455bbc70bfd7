/* Sums of 16 channels over pixels. */
#ifndef EDGEC_VECTOR_POOL_H
#define EDGEC_VECTOR_POOL_H

#include "edgec_vector.h"

/* Pixels of `rows` by `columns`; `step` bytes from pixel to pixel, `pitch` from row to row. */
EDGEC_INLINE edgec_set edgec_pixels_sum(const int8_t *in, int32_t rows, int32_t columns,
                                        int32_t step, ptrdiff_t pitch, edgec_set sum)
{
    for (; rows > 0; --rows, in += pitch) {
        const int8_t *pixel = in;
        for (int32_t x = columns; x > 0; --x, pixel += step) {
            sum = edgec_set_add(sum, edgec_set_load(pixel));
        }
    }
    return sum;
}

/* The first channel of the last set of 16 within `channels`: it may take up some of the set before
 * again, so that none is read beyond the last. */
EDGEC_INLINE int32_t edgec_set_begin(int32_t c, int32_t channels)
{
    return c + EDGEC_LANES <= channels ? c : channels - EDGEC_LANES;
}

#endif
