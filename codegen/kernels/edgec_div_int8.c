#include "edgec_div_int8.h"

#include "edgec_fixedpoint.h"

/* Bits that a can be shifted left by. */
static int32_t headroom(int32_t a)
{
    if (a == 0) {
        return 31;
    }
    return a > 0 ? edgec_leading_zeros((uint32_t)a) - 1
                 : edgec_leading_zeros(2u * (uint32_t)-a - 1u);
}

/* a times 1 / b in Q0.31, as in TFLite's DivElementwise. Scales for which the shift to the right
 * would leave 0 .. 31 are refused. */
static int32_t element(const edgec_binary_int8_params *p, int32_t a, int32_t b)
{
    if (b == 0) {
        return a < 0 ? INT32_MIN : INT32_MAX;
    }
    if (b < 0) {
        a = -a;
        b = -b;
    }
    const int32_t zeros = edgec_leading_zeros((uint32_t)b);
    const int32_t inverse =
        edgec_one_over_one_plus_x((int32_t)(((uint32_t)b << zeros) - 0x80000000u));
    const int32_t room = headroom(a);
    const int32_t quotient = edgec_high_mul((int32_t)((uint32_t)a << room), inverse);
    return edgec_divide_by_pot(edgec_high_mul(quotient, p->out_multiplier),
                               31 - zeros + room - p->out_shift);
}

void edgec_div_int8(const edgec_div_int8_params *p, const int8_t *in1, const int8_t *in2,
                    int8_t *out)
{
    edgec_binary_int8(p, in1, in2, out, element);
}
