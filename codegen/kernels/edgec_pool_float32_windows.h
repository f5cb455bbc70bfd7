/* The body of the float32 pools, a few vectors of channels at a time. */
#ifndef EDGEC_POOL_FLOAT32_WINDOWS_H
#define EDGEC_POOL_FLOAT32_WINDOWS_H

#include <float.h>
#include <stddef.h>

#include "edgec_float32_vector.h"
#include "edgec_pool_float32_vector.h"

/* The part of a window that lies inside: its first pixel, and how many. */
typedef struct {
    const float *first;
    int32_t rows, columns;
} edgec_pool_window;

/* Some vectors of channels of one output; of the last one only `some` lanes where that is not 0. */
EDGEC_INLINE void edgec_pool_channels(const edgec_pool_float32_vector *p,
                                      const edgec_pool_window *w, const int vectors,
                                      const int32_t some, const int mean, int32_t c, float *out)
{
    edgec_vector sum[4];
    EDGEC_UNROLL for (int i = 0; i < vectors; ++i)
    {
        sum[i] = edgec_all(mean ? 0.0f : -FLT_MAX);
    }
    for (int32_t y = 0; y < w->rows; ++y) {
        const float *from = w->first + (ptrdiff_t)y * p->in_w * p->channels + c;
        for (int32_t x = 0; x < w->columns; ++x, from += p->channels) {
            EDGEC_UNROLL for (int i = 0; i < vectors; ++i)
            {
                const float *at = from + i * EDGEC_LANES;
                const edgec_vector a = some ? edgec_load_some(at, some) : edgec_load(at);
                sum[i] = mean ? edgec_plus(sum[i], a) : edgec_larger(sum[i], a);
            }
        }
    }
    EDGEC_UNROLL for (int i = 0; i < vectors; ++i)
    {
        if (mean) {
            sum[i] = edgec_over(sum[i], edgec_all((float)(w->rows * w->columns)));
        }
        sum[i] = edgec_smaller(edgec_larger(sum[i], edgec_all(p->out_min)), edgec_all(p->out_max));
        edgec_store_some(out + c + i * EDGEC_LANES, sum[i], some ? some : EDGEC_LANES);
    }
}

/* One output: the mean of its window, or the largest. */
EDGEC_INLINE void edgec_pool_pixel(const edgec_pool_float32_vector *p, const edgec_pool_window *w,
                                   const int mean, float *out)
{
    int32_t c = 0;
    for (; c + 4 * EDGEC_LANES <= p->channels; c += 4 * EDGEC_LANES) {
        edgec_pool_channels(p, w, 4, 0, mean, c, out);
    }
    for (; c + EDGEC_LANES <= p->channels; c += EDGEC_LANES) {
        edgec_pool_channels(p, w, 1, 0, mean, c, out);
    }
    if (c < p->channels) {
        edgec_pool_channels(p, w, 1, p->channels - c, mean, c, out);
    }
}

/* How much of `kernel` pixels from `at` on lies within `size`: they begin at *first. */
static inline int32_t edgec_pool_inside(int32_t at, int32_t kernel, int32_t size, int32_t *first)
{
    const int32_t end = at + kernel < size ? at + kernel : size;
    *first = at < 0 ? 0 : at;
    return end - *first;
}

EDGEC_INLINE void edgec_pool_float32(const edgec_pool_float32_vector *p, const float *in,
                                     float *out, const int mean)
{
    for (int32_t b = 0; b < p->batches; ++b, in += (ptrdiff_t)p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            edgec_pool_window w;
            int32_t x, y;
            w.rows = edgec_pool_inside(oy * p->stride_h - p->pad_top, p->kernel_h, p->in_h, &y);
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const int32_t left = ox * p->stride_w - p->pad_left;
                w.columns = edgec_pool_inside(left, p->kernel_w, p->in_w, &x);
                w.first = in + ((ptrdiff_t)y * p->in_w + x) * p->channels;
                edgec_pool_pixel(p, &w, mean, out);
            }
        }
    }
}

#endif
