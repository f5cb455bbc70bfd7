/* edgec: hot */
#include "edgec_fully_connected_int8_columns.h"

static int8_t finish(const edgec_fully_connected_int8_params *p, const edgec_channel *c,
                     int32_t acc)
{
    const int32_t v = p->single_rounding ? edgec_requant_single(acc, c->multiplier, c->shift)
                                         : edgec_requant_double(acc, c->multiplier, c->shift);
    return (int8_t)edgec_clamp(v + p->out_zero_point, p->out_min, p->out_max);
}

void edgec_fully_connected_int8_columns(const edgec_fully_connected_int8_columns_params *p,
                                        const int8_t *in, int8_t *out)
{
    for (int32_t b = 0; b < p->layer.batches; ++b, in += p->layer.in_size) {
        edgec_columns columns = p->columns;
        const edgec_channel *c = p->layer.channels;
        for (int32_t left = p->layer.out_size; left > 0; left -= 4) {
            const int32_t rows = left < 4 ? left : 4;
            int32_t acc[4] = {0};
            edgec_columns_dot4(&columns, in, acc);
            for (int32_t i = 0; i < rows; ++i, ++c) {
                *out++ = finish(&p->layer, c, acc[i] + c->bias);
            }
        }
    }
}
