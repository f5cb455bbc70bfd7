#include "edgec_log_softmax_int8.h"

#include "edgec_fixedpoint.h"

#define IN_BITS 12
#define ACCUM_BITS 6
#define QUARTER ((int32_t)1 << (29 - ACCUM_BITS))
#define LOG_2 1488522236
#define ROOT_HALF 1518500250
#define ROOT_ROOT_HALF 1805811301
#define ALPHA_N 117049297
#define ALPHA_D 127690142
#define ALPHA_I 1057819769
#define ALPHA_F 638450708
#define OUTPUT_SHIFT 22 /* from Q5.26 to steps of 1/16 */
#define OUTPUT_ZERO_POINT 127

/* log(x) in Q5.26 for x >= 1 in Q12.19: a rational approximation after scaling x by a power of
 * two, with or without sqrt(1/2). Source: TFLite kernels/internal/common.h,
 * log_x_for_x_greater_than_or_equal_to_1_impl. */
static int32_t log_at_least_one(int32_t x)
{
    const int32_t room1 = edgec_leading_zeros((uint32_t)x) - 1;
    const int32_t r1 =
        edgec_saturating_shift(edgec_high_mul(edgec_saturating_shift(x, room1), ROOT_HALF), 1);
    const int32_t power1 = edgec_saturating_shift(IN_BITS - room1 - 1, 31 - ACCUM_BITS) + QUARTER;
    const int32_t room2 = edgec_leading_zeros((uint32_t)edgec_high_mul(x, ROOT_HALF)) - 1;
    const int32_t r2 = edgec_saturating_shift(x, room2);
    const int32_t power2 = edgec_saturating_shift(IN_BITS - room2, 31 - ACCUM_BITS) - QUARTER;
    const int32_t r = r1 < r2 ? r1 : r2;
    const int32_t power = power1 > power2 ? power1 : power2;
    const int32_t p = (int32_t)(((int64_t)r + ROOT_ROOT_HALF + 1) >> 1);
    const int32_t q = 2 * (r - ROOT_ROOT_HALF);
    const int32_t square = edgec_high_mul(q, q);
    const int32_t numerator =
        edgec_high_mul(q, r) + edgec_high_mul(edgec_high_mul(q, square), ALPHA_N);
    const int32_t above_one = edgec_high_mul(p, ALPHA_I + q + edgec_high_mul(ALPHA_D, square)) +
                              edgec_high_mul(ALPHA_F, q);
    const int32_t fraction = edgec_high_mul(edgec_divide_by_pot(numerator, ACCUM_BITS),
                                            edgec_one_over_one_plus_x(above_one));
    return edgec_saturating_shift(edgec_high_mul(power, LOG_2) + fraction, 1);
}

void edgec_log_softmax_int8(const edgec_log_softmax_int8_params *p, const int8_t *in, int8_t *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        int32_t max = INT8_MIN;
        for (int32_t i = 0; i < p->depth; ++i) {
            max = in[i] > max ? in[i] : max;
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < p->depth; ++i) {
            sum += max - in[i] < p->size ? p->exp[max - in[i]] : 0;
        }
        const int32_t log_sum = log_at_least_one(sum);
        const int32_t floor =
            edgec_requant_double(log_sum + INT32_MIN, p->reverse_multiplier, p->reverse_shift);
        const int32_t least = floor > -p->radius - 1 ? floor : -p->radius - 1;
        for (int32_t i = 0; i < p->depth; ++i) {
            int32_t v = INT8_MIN;
            if (in[i] - max > least) {
                const int32_t diff = edgec_requant_double(in[i] - max, p->multiplier, p->shift);
                v = edgec_divide_by_pot(diff - log_sum, OUTPUT_SHIFT) + OUTPUT_ZERO_POINT;
            }
            out[i] = (int8_t)edgec_clamp(v, INT8_MIN, INT8_MAX);
        }
    }
}
