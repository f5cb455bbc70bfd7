/* edgec: hot */
#include "edgec_fully_connected_int8.h"

#include "edgec_dot.h"

static int8_t finish(const edgec_fully_connected_int8_params *p, const edgec_channel *c,
                     int32_t acc)
{
    const int32_t v = p->single_rounding ? edgec_requant_single(acc, c->multiplier, c->shift)
                                         : edgec_requant_double(acc, c->multiplier, c->shift);
    return (int8_t)edgec_clamp(v + p->out_zero_point, p->out_min, p->out_max);
}

void edgec_fully_connected_int8(const edgec_fully_connected_int8_params *p, const int8_t *in,
                                int8_t *out)
{
    const int32_t n = p->in_size;
    for (int32_t b = 0; b < p->batches; ++b, in += n) {
        const int8_t *w = p->weights;
        const edgec_channel *c = p->channels;
        int32_t r = 0;
        for (; r + 4 <= p->out_size; r += 4, w += 4 * n, c += 4) {
            int32_t acc[4] = {c[0].bias, c[1].bias, c[2].bias, c[3].bias};
            edgec_dot4(in, w, n, n, acc);
            for (int32_t i = 0; i < 4; ++i) {
                *out++ = finish(p, c + i, acc[i]);
            }
        }
        for (; r < p->out_size; ++r, w += n, ++c) {
            *out++ = finish(p, c, edgec_dot1(in, w, n, c->bias));
        }
    }
}
