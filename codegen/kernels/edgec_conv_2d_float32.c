/* edgec: hot */
#include "edgec_conv_2d_float32.h"

#include "edgec_clamp_float32.h"

/* Sum of the taps of one output at window corner (y, x); in and w start at their channel. */
static float taps(const edgec_conv_2d_float32_params *p, const float *in, const float *w, int32_t y,
                  int32_t x)
{
    const int32_t depth = p->in_ch / p->groups;
    float total = 0.0f;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, y += p->dilation_h) {
        int32_t column = x;
        for (int32_t kx = 0; kx < p->kernel_w; ++kx, column += p->dilation_w, w += depth) {
            if (y < 0 || y >= p->in_h || column < 0 || column >= p->in_w) {
                continue;
            }
            const float *a = in + (y * p->in_w + column) * p->in_ch;
            for (int32_t k = 0; k < depth; ++k) {
                total += a[k] * w[k];
            }
        }
    }
    return total;
}

void edgec_conv_2d_float32(const edgec_conv_2d_float32_params *p, const float *in, float *out)
{
    const int32_t depth = p->in_ch / p->groups;
    const int32_t n = p->kernel_h * p->kernel_w * depth;
    const int32_t rows = p->out_ch / p->groups;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            for (int32_t ox = 0; ox < p->out_w; ++ox) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                for (int32_t c = 0; c < p->out_ch; ++c) {
                    const float sum =
                        taps(p, in + (c / rows) * depth, p->weights + c * n, y, x) + p->bias[c];
                    *out++ = edgec_clamp_float32(sum, p->out_min, p->out_max);
                }
            }
        }
    }
}
