/* edgec: hot */
#include "edgec_transpose_conv_int8.h"

#include "edgec_transpose_conv.h"

/* Sum of one output channel; w is its filter. */
static int32_t taps(const edgec_transpose_conv_int8_params *p, const int8_t *in, const int8_t *w,
                    const edgec_reach *y, const edgec_reach *x, int32_t acc)
{
    const int32_t zero = p->in_zero_point;
    int32_t ky = y->tap;
    for (int32_t iy = y->first; iy < y->end; ++iy, ky -= p->stride_h) {
        int32_t kx = x->tap;
        for (int32_t ix = x->first; ix < x->end; ++ix, kx -= p->stride_w) {
            const int8_t *a = in + (iy * p->in_w + ix) * p->in_ch;
            const int8_t *b = w + (ky * p->kernel_w + kx) * p->in_ch;
            for (int32_t k = 0; k < p->in_ch; ++k) {
                acc += (a[k] - zero) * b[k];
            }
        }
    }
    return acc;
}

void edgec_transpose_conv_int8(const edgec_transpose_conv_int8_params *p, const int8_t *in,
                               int8_t *out)
{
    const int32_t filter = p->kernel_h * p->kernel_w * p->in_ch;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const edgec_reach y =
                edgec_reach_of(oy + p->pad_top, p->kernel_h, p->stride_h, p->in_h);
            for (int32_t ox = 0; ox < p->out_w; ++ox) {
                const edgec_reach x =
                    edgec_reach_of(ox + p->pad_left, p->kernel_w, p->stride_w, p->in_w);
                const int8_t *w = p->weights;
                const edgec_channel *c = p->channels;
                for (int32_t oc = 0; oc < p->out_ch; ++oc, ++c, w += filter) {
                    const int32_t acc = taps(p, in, w, &y, &x, c->bias);
                    const int32_t v =
                        edgec_requant_double(acc, c->multiplier, c->shift) + p->out_zero_point;
                    *out++ = (int8_t)edgec_clamp(v, p->out_min, p->out_max);
                }
            }
        }
    }
}
