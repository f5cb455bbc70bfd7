#include "edgec_softmax_int8.h"

#include "edgec_fixedpoint.h"

#define SUM_INTEGER_BITS 12

void edgec_softmax_int8(const edgec_softmax_int8_params *p, const int8_t *in, int8_t *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        int32_t max = INT8_MIN;
        for (int32_t i = 0; i < p->depth; ++i) {
            max = in[i] > max ? in[i] : max;
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < p->depth; ++i) {
            if (max - in[i] < p->size) {
                sum += edgec_divide_by_pot(p->exp[max - in[i]], SUM_INTEGER_BITS);
            }
        }
        const int32_t headroom = edgec_leading_zeros((uint32_t)sum);
        const int32_t above_one = (int32_t)(((uint32_t)sum << headroom) - 0x80000000u);
        const int32_t scale = edgec_one_over_one_plus_x(above_one);
        const int32_t shift = SUM_INTEGER_BITS - headroom + 31 - 8;
        for (int32_t i = 0; i < p->depth; ++i) {
            int32_t v = INT8_MIN;
            if (max - in[i] < p->size) {
                v += edgec_divide_by_pot(edgec_high_mul(scale, p->exp[max - in[i]]), shift);
            }
            out[i] = (int8_t)edgec_clamp(v, INT8_MIN, INT8_MAX);
        }
    }
}
