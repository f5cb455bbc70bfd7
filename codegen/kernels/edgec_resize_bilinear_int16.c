/* edgec: hot */
#include "edgec_resize_bilinear_int16.h"

/* Mixes one pixel; weights are in 2^-20 and sum up to one. */
static void mix(const int16_t *const in[4], const int32_t weight[4], int32_t channels, int16_t *out)
{
    for (int32_t c = 0; c < channels; ++c) {
        const int64_t sum = (int64_t)in[0][c] * weight[0] + (int64_t)in[1][c] * weight[1] +
                            (int64_t)in[2][c] * weight[2] + (int64_t)in[3][c] * weight[3];
        const int64_t half = sum > 0 ? 1 << 19 : -(1 << 19);
        out[c] = (int16_t)((sum + half) / (1 << 20));
    }
}

void edgec_resize_bilinear_int16(const edgec_resize_bilinear_int16_params *p, const int16_t *in,
                                 int16_t *out)
{
    const int32_t row = p->in_w * p->channels;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * row) {
        for (int32_t y = 0; y < p->out_h; ++y) {
            const int16_t *first = in + p->rows[2 * y] * row;
            const int16_t *second = in + p->rows[2 * y + 1] * row;
            const int32_t dy = p->row_shares[y];
            for (int32_t x = 0; x < p->out_w; ++x, out += p->channels) {
                const int32_t left = p->columns[2 * x] * p->channels;
                const int32_t right = p->columns[2 * x + 1] * p->channels;
                const int32_t dx = p->column_shares[x];
                const int16_t *const corner[4] = {first + left, second + left, first + right,
                                                  second + right};
                const int32_t weight[4] = {(1024 - dy) * (1024 - dx), dy * (1024 - dx),
                                           (1024 - dy) * dx, dy * dx};
                mix(corner, weight, p->channels, out);
            }
        }
    }
}
