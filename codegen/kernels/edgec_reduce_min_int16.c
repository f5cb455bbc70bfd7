#include "edgec_reduce_min_int16.h"

void edgec_reduce_min_int16(const edgec_reduce_min_int16_params *p, const int16_t *in, int16_t *out)
{
    const edgec_reduction *r = &p->loops;
    int32_t kept[4] = {0};
    int32_t from = 0;
    do {
        int32_t reduced[3] = {0};
        int32_t at = from;
        int16_t min = in[at];
        do {
            for (int32_t i = 0; i < r->reduced_size[3]; ++i) {
                const int16_t x = in[at + i * r->reduced_step[3]];
                min = x < min ? x : min;
            }
        } while (edgec_reduction_next(r->reduced_size, r->reduced_step, 3, reduced, &at));
        *out++ = min;
    } while (edgec_reduction_next(r->kept_size, r->kept_step, 4, kept, &from));
}
