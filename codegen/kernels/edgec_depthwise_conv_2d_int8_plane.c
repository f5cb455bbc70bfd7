/* edgec: hot */
#include "edgec_depthwise_conv_2d_int8_plane.h"

#include <string.h>

#include "edgec_depthwise_rows_thumb2.h"

#define TAPS 9

static int32_t min_int(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* One channel of an image; its bytes count from 0, so that small cores load them with an offset. */
static void gather(const edgec_depthwise_conv_2d_int8_plane_params *p, const int8_t *in,
                   uint8_t *plane)
{
    const int32_t rows = min_int(p->in_h, p->plane_h - p->pad_top);
    const int32_t columns = min_int(p->in_w, p->plane_w - p->pad_left);
    const int32_t skip = (p->in_w - columns) * p->in_ch;
    plane += p->pad_top * p->plane_w + p->pad_left;
    for (int32_t y = rows; y > 0; --y, in += skip, plane += p->plane_w) {
        uint8_t *to = plane;
        uint8_t *const end = to + columns;
        for (; to != end; in += p->in_ch) {
            *to++ = (uint8_t)((uint8_t)*in ^ 0x80u);
        }
    }
}

#if defined(EDGEC_DEPTHWISE_ROWS_THUMB2)

static void clamp(const edgec_depthwise_conv_2d_int8_plane_params *p, int8_t *out)
{
    for (int32_t left = p->out_h * p->out_w; left > 0; --left, out += p->in_ch) {
        *out = (int8_t)edgec_clamp(*out, p->out_min, p->out_max);
    }
}

static void products(const edgec_depthwise_conv_2d_int8_plane_params *p, const uint8_t *plane,
                     const int8_t *weights, const edgec_channel *c, int8_t *out)
{
    edgec_depthwise_rows rows = {
        .bias = c->bias,
        .scale = (int32_t)(2u * (uint32_t)c->multiplier),
        .finish = {p->out_zero_point * (1 << c->shift) + (1 << (c->shift - 1)), c->shift},
        .out = {out, p->in_ch},
        .step = {p->plane_w, p->stride_w},
    };
    for (int32_t i = 0; i < TAPS; ++i) {
        rows.weights[i] = weights[i];
    }
    edgec_depthwise_rows_thumb2(rows, plane + 2 * p->plane_w, p->out_h, p->stride_h * p->plane_w,
                                p->out_w);
    if (p->out_min > INT8_MIN || p->out_max < INT8_MAX) {
        clamp(p, out);
    }
}

#else

static void products(const edgec_depthwise_conv_2d_int8_plane_params *p, const uint8_t *plane,
                     const int8_t *weights, const edgec_channel *c, int8_t *out)
{
    const int32_t bias = c->bias;
    const int32_t multiplier = c->multiplier;
    const int32_t shift = c->shift;
    const int32_t nudge = p->out_zero_point * (1 << shift) + (1 << (shift - 1));
    int32_t w[TAPS];
    for (int32_t i = 0; i < TAPS; ++i) {
        w[i] = weights[i];
    }
    for (int32_t oy = p->out_h; oy > 0; --oy, plane += p->stride_h * p->plane_w) {
        const uint8_t *a0 = plane;
        const uint8_t *a1 = a0 + p->plane_w;
        const uint8_t *a2 = a1 + p->plane_w;
        for (int32_t ox = p->out_w; ox > 0; --ox, out += p->in_ch) {
            int32_t v = bias;
            v += a0[0] * w[0] + a0[1] * w[1] + a0[2] * w[2];
            v += a1[0] * w[3] + a1[1] * w[4] + a1[2] * w[5];
            v += a2[0] * w[6] + a2[1] * w[7] + a2[2] * w[8];
            a0 += p->stride_w;
            a1 += p->stride_w;
            a2 += p->stride_w;
            v = edgec_high_mul(v, multiplier);
            v = (v + (v >> 31) + nudge) >> shift; /* halves away from zero */
            *out = (int8_t)edgec_clamp(v, p->out_min, p->out_max);
        }
    }
}

#endif

void edgec_depthwise_conv_2d_int8_plane(const edgec_depthwise_conv_2d_int8_plane_params *p,
                                        const int8_t *in, int8_t *out, void *scratch)
{
    uint8_t *const plane = scratch;
    memset(plane, (uint8_t)p->in_zero_point ^ 0x80, (size_t)p->plane_h * (size_t)p->plane_w);
    for (int32_t b = p->batches; b > 0; --b) {
        for (int32_t c = 0; c < p->in_ch; ++c) {
            gather(p, in + c, plane);
            products(p, plane, p->weights + c * TAPS, p->channels + c, out + c);
        }
        in += p->in_h * p->in_w * p->in_ch;
        out += p->out_h * p->out_w * p->in_ch;
    }
}
