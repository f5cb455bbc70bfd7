/* edgec: hot */
#include "edgec_transpose_conv_int16.h"

#include "edgec_sum16.h"
#include "edgec_transpose_conv.h"

/* Sum of one output channel; w is its filter. */
static int64_t taps(const edgec_transpose_conv_int16_params *p, const int16_t *in, const int8_t *w,
                    const edgec_reach *y, const edgec_reach *x, int64_t sum)
{
    int32_t ky = y->tap;
    for (int32_t iy = y->first; iy < y->end; ++iy, ky -= p->stride_h) {
        int32_t kx = x->tap;
        for (int32_t ix = x->first; ix < x->end; ++ix, kx -= p->stride_w) {
            const int16_t *a = in + (iy * p->in_w + ix) * p->in_ch;
            const int8_t *b = w + (ky * p->kernel_w + kx) * p->in_ch;
            sum = edgec_sum16_row(a, b, p->in_ch, sum);
        }
    }
    return sum;
}

static int16_t finish(const edgec_transpose_conv_int16_params *p, int32_t channel, int64_t sum)
{
    const int32_t multiplier = p->multipliers[channel];
    const int32_t shift = p->shifts[channel];
    const int32_t v = p->rounds_twice ? edgec_requant_double((int32_t)sum, multiplier, shift)
                                      : edgec_requant_reduced(sum, multiplier, shift);
    return (int16_t)edgec_clamp(v, p->out_min, p->out_max);
}

void edgec_transpose_conv_int16(const edgec_transpose_conv_int16_params *p, const int16_t *in,
                                int16_t *out)
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
                for (int32_t oc = 0; oc < p->out_ch; ++oc, w += filter) {
                    *out++ = finish(p, oc, taps(p, in, w, &y, &x, p->bias[oc]));
                }
            }
        }
    }
}
