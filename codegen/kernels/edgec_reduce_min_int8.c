#include "edgec_reduce_min_int8.h"

void edgec_reduce_min_int8(const edgec_reduce_min_int8_params *p, const int8_t *in, int8_t *out)
{
    const edgec_reduction *r = &p->loops;
    int32_t kept[4] = {0};
    int32_t from = 0;
    do {
        int32_t reduced[3] = {0};
        int32_t at = from;
        int8_t min = in[at];
        do {
            for (int32_t i = 0; i < r->reduced_size[3]; ++i) {
                const int8_t x = in[at + i * r->reduced_step[3]];
                min = x < min ? x : min;
            }
        } while (edgec_reduction_next(r->reduced_size, r->reduced_step, 3, reduced, &at));
        *out++ = min;
    } while (edgec_reduction_next(r->kept_size, r->kept_step, 4, kept, &from));
}
