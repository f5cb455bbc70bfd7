/* edgec: hot */
#include "edgec_fully_connected_int16.h"

#include <string.h>

#include "edgec_sum16.h"

/* Rounds halves away from zero, from the sum's double towards zero. */
static int16_t finish(const edgec_fully_connected_int16_params *p, int32_t row, int64_t sum)
{
    const int32_t twice = (int32_t)((double)sum * p->scales[row]);
    return (int16_t)edgec_clamp((twice + (twice < 0 ? -1 : 1)) / 2, p->out_min, p->out_max);
}

void edgec_fully_connected_int16(const edgec_fully_connected_int16_params *p, const int16_t *in,
                                 int16_t *out)
{
    const int32_t n = p->in_size;
    for (int32_t b = 0; b < p->batches; ++b, in += n) {
        const int8_t *w = p->weights;
        int32_t r = 0;
        for (; r + 4 <= p->out_size; r += 4, w += 4 * n) {
            int64_t sums[4];
            memcpy(sums, p->bias + r, sizeof sums);
            edgec_sum16_rows4(in, w, n, n, sums);
            for (int32_t i = 0; i < 4; ++i) {
                *out++ = finish(p, r + i, sums[i]);
            }
        }
        for (; r < p->out_size; ++r, w += n) {
            *out++ = finish(p, r, edgec_sum16_row(in, w, n, p->bias[r]));
        }
    }
}
