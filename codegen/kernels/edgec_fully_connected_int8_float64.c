#include "edgec_fully_connected_int8_float64.h"

#include "edgec_dot.h"
#include "edgec_requant.h"

/* Rounds halves away from zero, from the sum's double towards zero. */
static int8_t finish(const edgec_fully_connected_int8_float64_params *p, int32_t row, int32_t sum)
{
    const int32_t twice = (int32_t)((double)sum * p->scales[row]);
    const int32_t v = (twice + (twice < 0 ? -1 : 1)) / 2 + p->out_zero_point;
    return (int8_t)edgec_clamp(v, p->out_min, p->out_max);
}

void edgec_fully_connected_int8_float64(const edgec_fully_connected_int8_float64_params *p,
                                        const int8_t *in, int8_t *out)
{
    const int32_t n = p->in_size;
    for (int32_t b = 0; b < p->batches; ++b, in += n) {
        const int8_t *w = p->weights;
        for (int32_t r = 0; r < p->out_size; ++r, w += n) {
            *out++ = finish(p, r, edgec_dot1(in, w, n, p->bias[r]));
        }
    }
}
