/* edgec: hot */
#include "edgec_average_pool_2d_int8_vector.h"

#include "edgec_requant.h"
#include "edgec_vector_pool.h"

typedef edgec_average_pool_2d_int8_vector_params params;

static void window(const params *p, const int8_t *in, int32_t rows, int32_t columns, int8_t *out)
{
    const int32_t count = rows * columns;
    const int32_t half = count / 2;
    const ptrdiff_t pitch = (ptrdiff_t)p->in_w * p->channels;
    for (int32_t next = 0; next < p->channels; next += EDGEC_LANES) {
        const int32_t c = edgec_set_begin(next, p->channels);
        int32_t sums[EDGEC_LANES];
        edgec_set_spill(
            sums, edgec_pixels_sum(in + c, rows, columns, p->channels, pitch, edgec_set_all(0)));
        for (int32_t i = 0; i < EDGEC_LANES; ++i) {
            const int32_t mean = (sums[i] > 0 ? sums[i] + half : sums[i] - half) / count;
            out[c + i] = (int8_t)edgec_clamp(mean, p->out_min, p->out_max);
        }
    }
}

void edgec_average_pool_2d_int8_vector(const edgec_average_pool_2d_int8_vector_params *p,
                                       const int8_t *in, int8_t *out)
{
    const ptrdiff_t line = (ptrdiff_t)p->in_w * p->channels;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * line) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            const int32_t y0 = y < 0 ? 0 : y;
            const int32_t y1 = y + p->kernel_h < p->in_h ? y + p->kernel_h : p->in_h;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                const int32_t x0 = x < 0 ? 0 : x;
                const int32_t x1 = x + p->kernel_w < p->in_w ? x + p->kernel_w : p->in_w;
                window(p, in + y0 * line + (ptrdiff_t)x0 * p->channels, y1 - y0, x1 - x0, out);
            }
        }
    }
}
