/* edgec: hot */
#include "edgec_depthwise_conv_2d_float32_vector.h"

#include "edgec_float32_strips.h"

typedef edgec_depthwise_conv_2d_float32_vector_params params;

#if defined(__arm__)
#define PIXELS 4
#else
#define PIXELS 8
#endif

/* `n` channels of some pixels, which begin at `from`: at most a vector. */
EDGEC_INLINE void tile_channels(const params *p, const float *const *from, const int pixels,
                                int32_t c, int32_t n, float *out)
{
    const edgec_vector low = edgec_all(p->out_min);
    const edgec_vector high = edgec_all(p->out_max);
    const float *w = p->weights + c;
    edgec_vector sum[PIXELS];
    EDGEC_UNROLL for (int i = 0; i < pixels; ++i)
    {
        sum[i] = edgec_load(p->bias + c);
    }
    for (int32_t y = 0; y < p->kernel_h; ++y) {
        ptrdiff_t at = (ptrdiff_t)y * p->tap_h + c;
        for (int32_t x = 0; x < p->kernel_w; ++x, at += p->tap_w, w += p->lanes) {
            const edgec_vector tap = edgec_load(w);
            EDGEC_UNROLL for (int i = 0; i < pixels; ++i)
            {
                sum[i] = edgec_multiply_add(edgec_load(from[i] + at), tap, sum[i]);
            }
        }
    }
    EDGEC_UNROLL for (int i = 0; i < pixels; ++i)
    {
        edgec_store_some(out + i * p->joined, edgec_smaller(edgec_larger(sum[i], low), high), n);
    }
}

EDGEC_INLINE void tile(const params *p, edgec_float32_cursor *windows, const int pixels, float *out)
{
    const float *from[PIXELS];
    EDGEC_UNROLL for (int i = 0; i < pixels; ++i)
    {
        from[i] = edgec_float32_next(windows);
    }
    int32_t c = 0;
    for (; c + EDGEC_LANES <= p->joined; c += EDGEC_LANES) {
        tile_channels(p, from, pixels, c, EDGEC_LANES, out + c);
    }
    if (c < p->joined) {
        tile_channels(p, from, pixels, c, p->joined - c, out + c);
    }
}

void edgec_depthwise_conv_2d_float32_vector(const params *p, const float *in, float *out,
                                            void *scratch)
{
    const edgec_float32_image *g = &p->image;
    for (int32_t b = 0; b < g->batches; ++b, in += (ptrdiff_t)g->in_h * g->in_w * g->channels) {
        for (int32_t y = 0; y < g->out_h; y += g->strip_rows) {
            const edgec_float32_strip strip = edgec_float32_strip_at(g, in, y, scratch);
            edgec_float32_cursor windows = edgec_float32_windows(g, strip.image);
            int32_t pixels = strip.rows * g->out_w;
            for (; pixels >= PIXELS; pixels -= PIXELS, out += PIXELS * p->joined) {
                tile(p, &windows, PIXELS, out);
            }
            for (; pixels > 0; --pixels, out += p->joined) {
                tile(p, &windows, 1, out);
            }
        }
    }
}
