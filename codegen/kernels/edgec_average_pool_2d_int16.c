/* edgec: hot */
#include "edgec_average_pool_2d_int16.h"

#include "edgec_requant.h"

/* The part of a window that is inside the image. */
typedef struct {
    const int16_t *in; /* first channel of its first pixel */
    int32_t rows, columns;
    int32_t skip; /* from behind a row to the next */
} inside;

static int32_t min_int(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int16_t finish(const edgec_average_pool_2d_int16_params *p, int32_t sum, int32_t count)
{
    const int32_t half = count / 2;
    const int32_t mean = (sum > 0 ? sum + half : sum - half) / count;
    return (int16_t)edgec_clamp(mean, p->out_min, p->out_max);
}

static void window(const edgec_average_pool_2d_int16_params *p, const inside *w, int16_t *out)
{
    const int32_t count = w->rows * w->columns;
    for (int32_t c = 0; c < p->channels; ++c) {
        const int16_t *in = w->in + c;
        int32_t sum = 0;
        for (int32_t y = w->rows; y > 0; --y, in += w->skip) {
            for (int32_t x = w->columns; x > 0; --x, in += p->channels) {
                sum += *in;
            }
        }
        out[c] = finish(p, sum, count);
    }
}

void edgec_average_pool_2d_int16(const edgec_average_pool_2d_int16_params *p, const int16_t *in,
                                 int16_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            const int32_t y0 = y < 0 ? 0 : y;
            const int32_t rows = min_int(y + p->kernel_h, p->in_h) - y0;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                const int32_t x0 = x < 0 ? 0 : x;
                const int32_t columns = min_int(x + p->kernel_w, p->in_w) - x0;
                const inside w = {in + (y0 * p->in_w + x0) * p->channels, rows, columns,
                                  (p->in_w - columns) * p->channels};
                window(p, &w, out);
            }
        }
    }
}
