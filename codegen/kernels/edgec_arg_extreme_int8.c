#include "edgec_arg_extreme_int8.h"

void edgec_arg_extreme_int8(const edgec_arg_extreme_int8_params *p, const int8_t *in, void *out)
{
    int32_t at = 0;
    for (int32_t o = 0; o < p->outer; ++o, in += p->size * p->inner) {
        for (int32_t i = 0; i < p->inner; ++i) {
            int32_t best = 0;
            int8_t extreme = in[i];
            for (int32_t k = 1; k < p->size; ++k) {
                const int8_t x = in[k * p->inner + i];
                if (p->largest ? x > extreme : x < extreme) {
                    extreme = x;
                    best = k;
                }
            }
            edgec_arg_extreme_store(p, out, at++, best);
        }
    }
}
