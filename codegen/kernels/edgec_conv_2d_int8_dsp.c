#include "edgec_conv_2d_int8_dsp.h"

#include <string.h>

/* The input's row and column at a window's top left corner. */
typedef struct {
    int32_t y, x;
} corner;

/* One tap, of whole words: in the image, or `blank`. */
static const int8_t *tap_at(const edgec_conv_2d_int8_dsp_params *p, const int8_t *image, int32_t y,
                            int32_t x, const int8_t *blank)
{
    if (y < 0 || y >= p->in_h || x < 0 || x >= p->in_w) {
        return blank;
    }
    return image + (y * p->in_w + x) * p->in_ch;
}

/* Widen two windows tap by tap; all channels are whole words. */
static void widen_taps(const edgec_conv_2d_int8_dsp_params *p, const int8_t *image, corner a,
                       corner b, uint32_t *lanes, const int8_t *blank)
{
    const int32_t taps = p->runs_w * p->taps_w;
    const int32_t step = p->runs_w > 1 ? p->dilation_w : 1;
    for (int32_t i = 0; i < p->runs_h; ++i, a.y += p->dilation_h, b.y += p->dilation_h) {
        for (int32_t k = 0, at = 0; k < taps; ++k, at += step) {
            const int8_t *from_a = tap_at(p, image, a.y, a.x + at, blank);
            const int8_t *from_b = tap_at(p, image, b.y, b.x + at, blank);
            lanes = edgec_conv_2d_int8_dsp_widen(lanes, from_a, from_b, p->in_ch);
        }
    }
}

/* The run at (y, x): in place where it is whole and its padding is not beyond the `most_at` of the
 * last run, else `blank` or copied to `spare`, border filled with the zero point. */
static const int8_t *run_at(const edgec_conv_2d_int8_dsp_params *p, const int8_t *image, int32_t y,
                            int32_t x, int32_t most_at, const int8_t *blank, int8_t *spare)
{
    if (y < 0 || y >= p->in_h || x >= p->in_w || x + p->taps_w <= 0) {
        return blank;
    }
    const int32_t row = y * p->in_w * p->in_ch;
    int32_t at = x * p->in_ch;
    if (x >= 0 && x + p->taps_w <= p->in_w && row + at <= most_at) {
        return image + row + at;
    }
    const int32_t end = p->in_w * p->in_ch;
    for (int32_t i = 0; i < p->run; ++i, ++at) {
        spare[i] = at >= 0 && at < end ? image[row + at] : p->in_zero_point;
    }
    return spare;
}

/* Widen two windows run by run; `spare` has room for two runs, and a blank one follows. */
static void widen_runs(const edgec_conv_2d_int8_dsp_params *p, const int8_t *image, corner a,
                       corner b, int32_t most_at, uint32_t *lanes, int8_t *spare)
{
    const int32_t n = p->run_depth;
    const int8_t *blank = spare + 2 * n;
    for (int32_t i = 0; i < p->runs_h; ++i, a.y += p->dilation_h, b.y += p->dilation_h) {
        for (int32_t k = 0, at = 0; k < p->runs_w; ++k, at += p->dilation_w) {
            const int8_t *from_a = run_at(p, image, a.y, a.x + at, most_at, blank, spare);
            const int8_t *from_b = run_at(p, image, b.y, b.x + at, most_at, blank, spare + n);
            lanes = edgec_conv_2d_int8_dsp_widen(lanes, from_a, from_b, n);
        }
    }
}

/* Widen two windows that are inside the image, straight from it. */
static void widen_inside(const edgec_conv_2d_int8_dsp_params *p, const int8_t *a, const int8_t *b,
                         uint32_t *lanes)
{
    const int32_t row = p->dilation_h * p->in_w * p->in_ch;
    for (int32_t i = p->runs_h; i > 0; --i, a += row, b += row) {
        lanes = edgec_conv_2d_int8_dsp_widen(lanes, a, b, p->run_depth);
    }
}

/* Write out the channel stream with every finish, see edgec_requant_dsp.h. */
static void expand(const edgec_conv_2d_int8_dsp_params *p, int32_t *to)
{
    const int32_t *from = p->channels;
    const uint8_t *shift = p->shifts;
    for (int32_t channel = 0; channel < p->out_ch; channel += 4) {
        memcpy(to, from, 4 * sizeof *to);
        for (int32_t i = 0; i < 4; ++i, ++shift) {
            to[4 + 2 * i] = from[4 + i];
            to[5 + 2 * i] = (2 * p->out_zero_point + 1) * (128 << *shift) + *shift;
        }
        from += 8;
        to += 12;
    }
}

void edgec_conv_2d_int8_dsp_windows(const edgec_conv_2d_int8_dsp_params *p, const int8_t *in,
                                    int8_t *out, int32_t out_stride,
                                    edgec_conv_2d_int8_dsp_sums *sums, void *scratch)
{
    uint32_t *lanes = scratch;
    int32_t *table = (int32_t *)scratch + p->depth;
    int8_t *spare = (int8_t *)(table + (p->shifts == NULL ? 0 : (p->out_ch + 3) / 4 * 12));
    const int32_t words = p->in_ch % 4 == 0;
    const int32_t image = p->in_h * p->in_w * p->in_ch;
    /* the greatest corner of a window inside the image; none is if its columns are dilated */
    const int32_t most_y = p->in_h - (p->runs_h - 1) * p->dilation_h - 1;
    const int32_t most_x = p->runs_w > 1 ? -1 : p->in_w - p->taps_w;
    const int32_t end_x = p->out_w * p->stride_w - p->pad_left;
    /* the greatest offset of a run whose padding is in the input, too, and of such a window */
    int32_t most_run = p->batches * image - p->run_depth;
    const int32_t last_run = (p->runs_h - 1) * p->dilation_h * p->in_w * p->in_ch;
    edgec_conv_2d_int8_dsp_blocks work =
        edgec_conv_2d_int8_dsp_begin(p->weights, p->shifts == NULL ? p->channels : table, lanes,
                                     p->depth, p->out_ch, p->out_min, p->out_max);
    work.out_stride = out_stride;
    if (p->shifts != NULL) {
        expand(p, table);
    }
    if (!words) {
        memset(spare + 2 * p->run_depth, p->in_zero_point, (size_t)p->run_depth);
    } else if (most_x < 0 || most_y < 0 || p->pad_top > 0 || p->pad_left > 0 ||
               (p->out_h - 1) * p->stride_h > most_y || (p->out_w - 1) * p->stride_w > most_x) {
        memset(spare, p->in_zero_point, (size_t)p->in_ch);
    }
    for (int32_t batch = 0; batch < p->batches; ++batch, in += image, most_run -= image) {
        corner a = {-p->pad_top, -p->pad_left};
        for (int32_t left = p->out_h * p->out_w; left > 0; left -= 2) {
            const int32_t pixels = left > 1 ? 2 : 1;
            corner b = a;
            if (pixels == 2) {
                b.x += p->stride_w;
                if (b.x == end_x) {
                    b.x = -p->pad_left;
                    b.y += p->stride_h;
                }
            }
            const int32_t at = (b.y * p->in_w + b.x) * p->in_ch;
            if (a.y >= 0 && a.x >= 0 && b.x >= 0 && b.y <= most_y && a.x <= most_x &&
                b.x <= most_x && at + last_run <= most_run) {
                widen_inside(p, in + (a.y * p->in_w + a.x) * p->in_ch, in + at, lanes);
            } else if (words) {
                widen_taps(p, in, a, b, lanes, spare);
            } else {
                widen_runs(p, in, a, b, most_run, lanes, spare);
            }
            sums(&work, out, pixels);
            out += pixels * out_stride;
            a = b;
            a.x += p->stride_w;
            if (a.x == end_x) {
                a.x = -p->pad_left;
                a.y += p->stride_h;
            }
        }
    }
}

void edgec_conv_2d_int8_dsp(const edgec_conv_2d_int8_dsp_params *p, const int8_t *in, int8_t *out,
                            void *scratch)
{
    edgec_conv_2d_int8_dsp_windows(p, in, out, p->out_ch, edgec_conv_2d_int8_dsp_pixels, scratch);
}
