/* Exponentials and their kin on vectors of float32. */
#ifndef EDGEC_FUNCTIONS_FLOAT32_H
#define EDGEC_FUNCTIONS_FLOAT32_H

#include "edgec_float32_vector.h"

/* c[0] x^(n-1) + … + c[n-1]; `count` is constant. */
EDGEC_INLINE edgec_vector edgec_polynomial(edgec_vector x, const float *c, const int count)
{
    edgec_vector sum = edgec_all(c[0]);
    EDGEC_UNROLL for (int i = 1; i < count; ++i)
    {
        sum = edgec_multiply_add(sum, x, edgec_all(c[i]));
    }
    return sum;
}

/* exp(x) within 2 units in the last place; zero below -87, as what is smaller than normal numbers is
 * slow; above 88 it stays at exp(88).
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2, and exp(r) by the polynomial of Cephes' expf. */
EDGEC_INLINE edgec_vector edgec_exp(edgec_vector x)
{
    static const float taylor[6] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                    4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    const edgec_vector magic = edgec_all(12582912.0f); /* 1.5 * 2^23: what is added is rounded */
    const edgec_vector least = edgec_all(-87.0f);
    const edgec_vector given = x;
    x = edgec_smaller(edgec_larger(x, least), edgec_all(88.0f));
    const edgec_vector shifted = edgec_multiply_add(x, edgec_all(1.44269504f), magic);
    const edgec_vector n = edgec_minus(shifted, magic);
    edgec_vector r = edgec_multiply_add(n, edgec_all(-0.693359375f), x);
    r = edgec_multiply_add(n, edgec_all(2.12194440e-4f), r);
    const edgec_vector square = edgec_times(r, r);
    edgec_vector sum = edgec_polynomial(r, taylor, 6);
    sum = edgec_plus(edgec_multiply_add(sum, square, r), edgec_all(1.0f));
    return edgec_above(edgec_scaled(sum, shifted), given, least);
}

/* erfc(x) for x of at least 0, within 2e-7 of it: erfcc of Numerical Recipes. */
EDGEC_INLINE edgec_vector edgec_erfc(edgec_vector x)
{
    static const float chebyshev[10] = {0.17087277f, -0.82215223f, 1.48851587f, -1.13520398f,
                                        0.27886807f, -0.18628806f, 0.09678418f, 0.37409196f,
                                        1.00002368f, -1.26551223f};
    const edgec_vector one = edgec_all(1.0f);
    const edgec_vector t = edgec_over(one, edgec_multiply_add(x, edgec_all(0.5f), one));
    const edgec_vector sum = edgec_polynomial(t, chebyshev, 10);
    return edgec_times(t, edgec_exp(edgec_minus(sum, edgec_times(x, x))));
}

/* 1 / (1 + exp(-x)) */
EDGEC_INLINE edgec_vector edgec_logistic(edgec_vector x)
{
    const edgec_vector one = edgec_all(1.0f);
    const edgec_vector e = edgec_exp(edgec_minus(edgec_all(0.0f), x));
    return edgec_over(one, edgec_plus(one, e));
}

/* One vector of results from one of arguments. */
typedef edgec_vector edgec_vector_function(edgec_vector x);

/* Apply a function to `size` floats, the last few by way of a vector that is partly unused. */
EDGEC_INLINE void edgec_apply(edgec_vector_function *function, const float *in, float *out,
                              int32_t size)
{
    int32_t i = 0;
    for (; i + EDGEC_LANES <= size; i += EDGEC_LANES) {
        edgec_store(out + i, function(edgec_load(in + i)));
    }
    if (i < size) {
        float last[EDGEC_LANES] = {0.0f};
        memcpy(last, in + i, (size_t)(size - i) * sizeof *last);
        edgec_store(last, function(edgec_load(last)));
        memcpy(out + i, last, (size_t)(size - i) * sizeof *last);
    }
}

#endif
