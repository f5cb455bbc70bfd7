/* edgec: hot */
#include "edgec_max_pool_2d_int8.h"

#include "edgec_requant.h"

static int32_t min_int(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

void edgec_max_pool_2d_int8(const edgec_max_pool_2d_int8_params *p, const int8_t *in, int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            const int32_t y0 = y < 0 ? 0 : y;
            const int32_t y1 = min_int(y + p->kernel_h, p->in_h);
            for (int32_t ox = 0; ox < p->out_w; ++ox) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                const int32_t x0 = x < 0 ? 0 : x;
                const int32_t x1 = min_int(x + p->kernel_w, p->in_w);
                for (int32_t c = 0; c < p->channels; ++c) {
                    int32_t max = INT8_MIN;
                    for (int32_t iy = y0; iy < y1; ++iy) {
                        for (int32_t ix = x0; ix < x1; ++ix) {
                            const int32_t v = in[(iy * p->in_w + ix) * p->channels + c];
                            max = v > max ? v : max;
                        }
                    }
                    *out++ = (int8_t)edgec_clamp(max, p->out_min, p->out_max);
                }
            }
        }
    }
}
