/* edgec: hot */
#include "edgec_sum_int16.h"

#include "edgec_requant.h"

void edgec_sum_int16(const edgec_sum_int16_params *p, const int16_t *in, int16_t *out)
{
    const edgec_reduction *r = &p->loops;
    int32_t kept[4] = {0};
    int32_t from = 0;
    do {
        int32_t reduced[3] = {0};
        int32_t at = from;
        int32_t sum = 0;
        do {
            for (int32_t i = 0; i < r->reduced_size[3]; ++i) {
                sum += in[at + i * r->reduced_step[3]];
            }
        } while (edgec_reduction_next(r->reduced_size, r->reduced_step, 3, reduced, &at));
        const int32_t v = edgec_requant_double(sum, p->multiplier, p->shift);
        *out++ = (int16_t)edgec_clamp(v, INT16_MIN, INT16_MAX);
    } while (edgec_reduction_next(r->kept_size, r->kept_step, 4, kept, &from));
}
