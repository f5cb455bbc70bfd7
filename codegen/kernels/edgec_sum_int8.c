/* edgec: hot */
#include "edgec_sum_int8.h"

#include "edgec_requant.h"

void edgec_sum_int8(const edgec_sum_int8_params *p, const int8_t *in, int8_t *out)
{
    const edgec_reduction *r = &p->loops;
    int32_t kept[4] = {0};
    int32_t from = 0;
    do {
        int32_t reduced[3] = {0};
        int32_t at = from;
        int32_t sum = p->start;
        do {
            for (int32_t i = 0; i < r->reduced_size[3]; ++i) {
                sum += in[at + i * r->reduced_step[3]];
            }
        } while (edgec_reduction_next(r->reduced_size, r->reduced_step, 3, reduced, &at));
        const int32_t v = edgec_requant_double(sum, p->multiplier, p->shift) + p->out_zero_point;
        *out++ = (int8_t)edgec_clamp(v, INT8_MIN, INT8_MAX);
    } while (edgec_reduction_next(r->kept_size, r->kept_step, 4, kept, &from));
}
