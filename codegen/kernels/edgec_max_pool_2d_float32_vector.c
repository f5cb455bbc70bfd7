/* edgec: hot */
#include "edgec_max_pool_2d_float32_vector.h"

#include <float.h>

#include "edgec_float32_vector.h"

/* The part of a window that lies inside. */
typedef struct {
    int32_t y0, y1, x0, x1;
} window;

static int32_t min_int(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static edgec_vector finished(edgec_vector sum, int32_t count)
{
    (void)count;
    return sum;
}

/* `count` channels of one output, at least one and at most a vector; in and out begin there. */
static void pooled(const edgec_max_pool_2d_float32_vector_params *p, const float *in,
                   const window *w, int32_t count, float *out)
{
    edgec_vector sum = edgec_all(-FLT_MAX);
    for (int32_t y = w->y0; y < w->y1; ++y) {
        for (int32_t x = w->x0; x < w->x1; ++x) {
            const float *from = in + (y * p->in_w + x) * p->channels;
            float lanes[EDGEC_LANES] = {0.0f};
            if (count < EDGEC_LANES) {
                memcpy(lanes, from, (size_t)count * sizeof *lanes);
            }
            const edgec_vector a = edgec_load(count < EDGEC_LANES ? lanes : from);
            sum = edgec_larger(sum, a);
        }
    }
    sum = finished(sum, (w->y1 - w->y0) * (w->x1 - w->x0));
    sum = edgec_smaller(edgec_larger(sum, edgec_all(p->out_min)), edgec_all(p->out_max));
    if (count < EDGEC_LANES) {
        float lanes[EDGEC_LANES];
        edgec_store(lanes, sum);
        memcpy(out, lanes, (size_t)count * sizeof *lanes);
    } else {
        edgec_store(out, sum);
    }
}

void edgec_max_pool_2d_float32_vector(const edgec_max_pool_2d_float32_vector_params *p,
                                      const float *in, float *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                const window w = {y < 0 ? 0 : y, min_int(y + p->kernel_h, p->in_h), x < 0 ? 0 : x,
                                  min_int(x + p->kernel_w, p->in_w)};
                for (int32_t c = 0; c < p->channels; c += EDGEC_LANES) {
                    pooled(p, in + c, &w, min_int(p->channels - c, EDGEC_LANES), out + c);
                }
            }
        }
    }
}
