/* edgec: hot */
#include "edgec_conv_2d_int8_dsp.h"

#include <string.h>

#include "edgec_conv_2d_int8_dsp_block.h"

/* A window: the input's row and column at its top left corner. */
typedef struct {
    int32_t y, x;
} corner;

/* The run at (y, x) of an image: in place where it is whole, else copied to `spare`. */
static const int8_t *run_at(const edgec_conv_2d_int8_dsp_params *p, const int8_t *image, int32_t y,
                            int32_t x, int8_t *spare)
{
    const int8_t *from = image + (y * p->in_w + x) * p->in_ch;
    int32_t before = x < 0 ? -x : 0;
    int32_t after = x + p->taps_w > p->in_w ? x + p->taps_w - p->in_w : 0;
    if (y < 0 || y >= p->in_h || before + after >= p->taps_w) {
        memset(spare, p->in_zero_point, (size_t)p->run);
        return spare;
    }
    if (before + after == 0) {
        if (p->run == p->run_depth) {
            return from;
        }
        memcpy(spare, from, (size_t)p->run);
        return spare;
    }
    before *= p->in_ch;
    after *= p->in_ch;
    memset(spare, p->in_zero_point, (size_t)p->run);
    memcpy(spare + before, from + before, (size_t)(p->run - before - after));
    return spare;
}

/* Widen two windows, run by run. */
static void widen(const edgec_conv_2d_int8_dsp_params *p, const int8_t *image, corner a, corner b,
                  uint32_t *lanes)
{
    int8_t *spare = (int8_t *)(lanes + p->depth);
    const int32_t n = p->run_depth;
    for (int32_t i = 0; i < p->runs_h; ++i, a.y += p->dilation_h, b.y += p->dilation_h) {
        int32_t ax = a.x;
        int32_t bx = b.x;
        for (int32_t k = 0; k < p->runs_w; ++k, ax += p->dilation_w, bx += p->dilation_w) {
            const int8_t *from_a = run_at(p, image, a.y, ax, spare);
            const int8_t *from_b = run_at(p, image, b.y, bx, spare + n);
            lanes = edgec_conv_2d_int8_dsp_widen(lanes, from_a, from_b, n);
        }
    }
}

/* Whether the window is inside the image and all its runs can be read in place. */
static int inside(const edgec_conv_2d_int8_dsp_params *p, corner c)
{
    return c.y >= 0 && c.y + (p->runs_h - 1) * p->dilation_h < p->in_h && c.x >= 0
           && c.x + p->taps_w <= p->in_w && p->run == p->run_depth && p->runs_w == 1;
}

static void widen_inside(const edgec_conv_2d_int8_dsp_params *p, const int8_t *a, const int8_t *b,
                         uint32_t *lanes)
{
    const int32_t row = p->dilation_h * p->in_w * p->in_ch;
    for (int32_t i = p->runs_h; i > 0; --i, a += row, b += row) {
        lanes = edgec_conv_2d_int8_dsp_widen(lanes, a, b, p->run_depth);
    }
}

static corner next(const edgec_conv_2d_int8_dsp_params *p, corner c)
{
    c.x += p->stride_w;
    if (c.x == p->out_w * p->stride_w - p->pad_left) {
        c.x = -p->pad_left;
        c.y += p->stride_h;
    }
    return c;
}

void edgec_conv_2d_int8_dsp(const edgec_conv_2d_int8_dsp_params *p, const int8_t *in, int8_t *out,
                            void *scratch)
{
    uint32_t *lanes = scratch;
    const edgec_conv_2d_int8_dsp_rows rows = {
        p->weights, p->channels, p->depth, p->out_ch, (uint8_t)p->out_min * 0x01010101u,
        (uint8_t)p->out_max * 0x01010101u};
    for (int32_t batch = 0; batch < p->batches; ++batch, in += p->in_h * p->in_w * p->in_ch) {
        corner a = {-p->pad_top, -p->pad_left};
        for (int32_t left = p->out_h * p->out_w; left > 0; left -= 2) {
            const int32_t pixels = left > 1 ? 2 : 1;
            const corner b = pixels == 2 ? next(p, a) : a;
            if (inside(p, a) && inside(p, b)) {
                widen_inside(p, in + (a.y * p->in_w + a.x) * p->in_ch,
                             in + (b.y * p->in_w + b.x) * p->in_ch, lanes);
            } else {
                widen(p, in, a, b, lanes);
            }
            edgec_conv_2d_int8_dsp_block(&rows, lanes, out, pixels);
            out += pixels * p->out_ch;
            a = next(p, b);
        }
    }
}
