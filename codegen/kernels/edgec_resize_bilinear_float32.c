/* edgec: hot */
#include "edgec_resize_bilinear_float32.h"

/* Mixes one pixel; the products are in TFLite's order. */
static void mix(const float *const in[4], float dy, float dx, int32_t channels, float *out)
{
    for (int32_t c = 0; c < channels; ++c) {
        out[c] = in[0][c] * (1.0f - dy) * (1.0f - dx) + in[1][c] * dy * (1.0f - dx) +
                 in[2][c] * (1.0f - dy) * dx + in[3][c] * dy * dx;
    }
}

void edgec_resize_bilinear_float32(const edgec_resize_bilinear_float32_params *p, const float *in,
                                   float *out)
{
    const int32_t row = p->in_w * p->channels;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * row) {
        for (int32_t y = 0; y < p->out_h; ++y) {
            const float *first = in + p->rows[2 * y] * row;
            const float *second = in + p->rows[2 * y + 1] * row;
            const float dy = p->row_shares[y];
            for (int32_t x = 0; x < p->out_w; ++x, out += p->channels) {
                const int32_t left = p->columns[2 * x] * p->channels;
                const int32_t right = p->columns[2 * x + 1] * p->channels;
                const float dx = p->column_shares[x];
                const float *const corner[4] = {first + left, second + left, first + right,
                                                second + right};
                mix(corner, dy, dx, p->channels, out);
            }
        }
    }
}
