#include "edgec_l2_normalization_int8.h"

#include "edgec_fixedpoint.h"

#define ONE ((int32_t)1 << 28)      /* in Q3.28 */
#define HALF_ROOT_2 1518500250      /* in Q0.31 */
#define OUTPUT_BITS 7

/* Multiplier and shift of 1 / sqrt(x) for x >= 0, 0 counted as 1; five Newton-Raphson steps in
 * Q3.28. Source: TFLite kernels/internal/common.h, GetInvSqrtQuantizedMultiplierExp. */
static int32_t inverse_root(int32_t x, int32_t *shift)
{
    if (x <= 1) {
        *shift = 0;
        return INT32_MAX;
    }
    int32_t right = 11;
    for (; x >= (int32_t)1 << 29; x /= 4) {
        ++right;
    }
    for (; x < (int32_t)1 << 27; x *= 4) {
        --right;
    }
    const int32_t half = edgec_divide_by_pot(x >> 1, 1);
    int32_t root = ONE;
    for (int i = 0; i < 5; ++i) {
        const int32_t square = edgec_high_mul(root, root);
        const int32_t cube = edgec_saturating_shift(edgec_high_mul(square, root), 6);
        const int32_t next = edgec_high_mul(ONE + ONE / 2, root) - edgec_high_mul(half, cube);
        root = edgec_saturating_shift(next, 3);
    }
    root = edgec_high_mul(root, HALF_ROOT_2);
    *shift = right < 0 ? 0 : -right;
    return right < 0 ? root * (1 << -right) : root;
}

void edgec_l2_normalization_int8(const edgec_l2_normalization_int8_params *p, const int8_t *in,
                                 int8_t *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        int32_t squares = 0;
        for (int32_t i = 0; i < p->depth; ++i) {
            const int32_t x = in[i] - p->in_zero_point;
            squares += x * x;
        }
        int32_t shift;
        const int32_t multiplier = inverse_root(squares, &shift);
        for (int32_t i = 0; i < p->depth; ++i) {
            const int32_t x = in[i] - p->in_zero_point;
            const int32_t v = edgec_requant_double(x, multiplier, shift + OUTPUT_BITS);
            out[i] = (int8_t)edgec_clamp(v, INT8_MIN, INT8_MAX);
        }
    }
}
