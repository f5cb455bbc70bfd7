/* edgec: hot */
#include "edgec_add_int8.h"

#include "edgec_requant.h"

#define LEFT_SHIFT 20

void edgec_add_int8(const edgec_add_int8_params *p, const int8_t *in1, const int8_t *in2,
                    int8_t *out)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        const int8_t *x1 = in1 + c.at1;
        const int8_t *x2 = in2 + c.at2;
        for (int32_t i = b->size[5]; i > 0; --i, x1 += b->step1[5], x2 += b->step2[5]) {
            const int32_t a = (*x1 - p->zero_point1) * (1 << LEFT_SHIFT);
            const int32_t d = (*x2 - p->zero_point2) * (1 << LEFT_SHIFT);
            const int32_t sum = edgec_requant_double(a, p->multiplier1, p->shift1) +
                                edgec_requant_double(d, p->multiplier2, p->shift2);
            const int32_t v =
                edgec_requant_double(sum, p->out_multiplier, p->out_shift) + p->out_zero_point;
            *out++ = (int8_t)edgec_clamp(v, p->out_min, p->out_max);
        }
    } while (edgec_broadcast_next(b, &c));
}
