/* edgec: hot */
#include "edgec_depthwise_conv_2d_int8.h"

#include "edgec_taps_inside.h"

/* The taps of a window that lie inside the image, as ranges of kernel rows and columns. */
typedef struct {
    const int8_t *in; /* first input inside */
    const int8_t *w;  /* its weight */
    int32_t rows, columns;
} inside;

static inside clip(const edgec_depthwise_conv_2d_int8_params *p, const int8_t *in, int32_t y,
                   int32_t x)
{
    const int32_t ky = edgec_first_inside(y, p->dilation_h);
    const int32_t kx = edgec_first_inside(x, p->dilation_w);
    inside r;
    r.rows = edgec_end_inside(y, p->dilation_h, p->kernel_h, p->in_h) - ky;
    r.columns = edgec_end_inside(x, p->dilation_w, p->kernel_w, p->in_w) - kx;
    r.in = in + ((y + ky * p->dilation_h) * p->in_w + x + kx * p->dilation_w) * p->in_ch;
    r.w = p->weights + (ky * p->kernel_w + kx) * p->in_ch * p->multiplier;
    return r;
}

static void pixel(const edgec_depthwise_conv_2d_int8_params *p, const inside *r, int8_t *out)
{
    const int32_t out_ch = p->in_ch * p->multiplier;
    const int32_t in_step = p->dilation_w * p->in_ch;
    const int32_t in_row = p->dilation_h * p->in_w * p->in_ch - r->columns * in_step;
    const int32_t w_row = (p->kernel_w - r->columns) * out_ch;
    const int32_t zero = p->in_zero_point;
    const edgec_channel *c = p->channels;
    for (int32_t ic = 0, oc = 0; ic < p->in_ch; ++ic) {
        for (int32_t m = 0; m < p->multiplier; ++m, ++oc, ++c) {
            const int8_t *a = r->in + ic;
            const int8_t *w = r->w + oc;
            int32_t acc = c->bias;
            for (int32_t ky = r->rows; ky > 0; --ky, a += in_row, w += w_row) {
                for (int32_t kx = r->columns; kx > 0; --kx, a += in_step, w += out_ch) {
                    acc += (*a - zero) * *w;
                }
            }
            acc = edgec_requant_double(acc, c->multiplier, c->shift) + p->out_zero_point;
            out[oc] = (int8_t)edgec_clamp(acc, p->out_min, p->out_max);
        }
    }
}

void edgec_depthwise_conv_2d_int8(const edgec_depthwise_conv_2d_int8_params *p, const int8_t *in,
                                  int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->in_ch * p->multiplier) {
                const inside r =
                    clip(p, in, oy * p->stride_h - p->pad_top, ox * p->stride_w - p->pad_left);
                pixel(p, &r, out);
            }
        }
    }
}
