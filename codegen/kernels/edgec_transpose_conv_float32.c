/* edgec: hot */
#include "edgec_transpose_conv_float32.h"

#include "edgec_clamp_float32.h"
#include "edgec_transpose_conv.h"

/* Sum of one output channel; w is its filter. */
static float taps(const edgec_transpose_conv_float32_params *p, const float *in, const float *w,
                  const edgec_reach *y, const edgec_reach *x)
{
    float total = 0.0f;
    int32_t ky = y->tap;
    for (int32_t iy = y->first; iy < y->end; ++iy, ky -= p->stride_h) {
        int32_t kx = x->tap;
        for (int32_t ix = x->first; ix < x->end; ++ix, kx -= p->stride_w) {
            const float *a = in + (iy * p->in_w + ix) * p->in_ch;
            const float *b = w + (ky * p->kernel_w + kx) * p->in_ch;
            for (int32_t k = 0; k < p->in_ch; ++k) {
                total += a[k] * b[k];
            }
        }
    }
    return total;
}

void edgec_transpose_conv_float32(const edgec_transpose_conv_float32_params *p, const float *in,
                                  float *out)
{
    const int32_t filter = p->kernel_h * p->kernel_w * p->in_ch;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const edgec_reach y =
                edgec_reach_of(oy + p->pad_top, p->kernel_h, p->stride_h, p->in_h);
            for (int32_t ox = 0; ox < p->out_w; ++ox) {
                const edgec_reach x =
                    edgec_reach_of(ox + p->pad_left, p->kernel_w, p->stride_w, p->in_w);
                const float *w = p->weights;
                for (int32_t oc = 0; oc < p->out_ch; ++oc, w += filter) {
                    const float sum = taps(p, in, w, &y, &x) + p->bias[oc];
                    *out++ = edgec_clamp_float32(sum, p->out_min, p->out_max);
                }
            }
        }
    }
}
