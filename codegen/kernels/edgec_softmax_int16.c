#include "edgec_softmax_int16.h"

#include "edgec_lookup_int16.h"
#include "edgec_requant.h"

static int32_t leading_zeros(uint32_t x)
{
    int32_t n = 0;
    for (; (x & 0x80000000u) == 0; x <<= 1) {
        ++n;
    }
    return n;
}

/* Write every exponential to out, Q0.15; return their sum. */
static int32_t exponentials(const edgec_softmax_int16_params *p, const int16_t *in, int16_t *out)
{
    int32_t max = in[0];
    int32_t sum = 0;
    for (int32_t i = 1; i < p->depth; ++i) {
        max = in[i] > max ? in[i] : max;
    }
    for (int32_t i = 0; i < p->depth; ++i) {
        const int32_t steps = edgec_requant_double(in[i] - max, p->multiplier, p->shift);
        out[i] = edgec_interpolate16(p->exp, edgec_clamp(steps + 32767, INT16_MIN, INT16_MAX));
        sum += out[i];
    }
    return sum;
}

void edgec_softmax_int16(const edgec_softmax_int16_params *p, const int16_t *in, int16_t *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        const int32_t sum = exponentials(p, in, out);
        const int32_t zeros = leading_zeros((uint32_t)sum);
        /* the sum's leading 17 bits: 1 + x of the table, whose middle is 1.5 */
        const int32_t one_to_two = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14);
        const int32_t x = edgec_clamp(one_to_two - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
        const int32_t factor = edgec_interpolate16(p->reciprocal, x);
        const int32_t shift = 31 - zeros;
        for (int32_t i = 0; i < p->depth; ++i) {
            const int32_t v = (out[i] * factor + (1 << (shift - 1))) >> shift;
            out[i] = (int16_t)edgec_clamp(v, 0, INT16_MAX);
        }
    }
}
