/* edgec: hot */
#include "edgec_conv_2d_int8_mve.h"

#include "edgec_mve_bytes.h"

static int32_t between(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Copy the columns of a window row from x on; `row` is the input row's start. */
static int8_t *gather_row(const edgec_conv_2d_int8_mve_params *p, const int8_t *row, int32_t x,
                          int8_t *to)
{
    const int32_t depth = p->in_ch;
    if (p->dilation_w > 1) {
        for (int32_t k = 0; k < p->kernel_w; ++k, x += p->dilation_w) {
            to = x < 0 || x >= p->in_w ? edgec_mve_fill(to, p->in_zero_point, depth)
                                       : edgec_mve_copy(to, row + x * depth, depth);
        }
        return to;
    }
    const int32_t begin = between(-x, 0, p->kernel_w);
    const int32_t end = between(p->in_w - x, begin, p->kernel_w);
    to = edgec_mve_fill(to, p->in_zero_point, begin * depth);
    if (begin < end) {
        to = edgec_mve_copy(to, row + (x + begin) * depth, (end - begin) * depth);
    }
    return edgec_mve_fill(to, p->in_zero_point, (p->kernel_w - end) * depth);
}

/* Copy the window whose top left corner is (y, x), border filled with the zero point. */
static void gather(const edgec_conv_2d_int8_mve_params *p, const int8_t *in, int32_t y, int32_t x,
                   int8_t *to)
{
    const int32_t run = p->kernel_w * p->in_ch;
    const int32_t pitch = p->in_w * p->in_ch;
    const int32_t inside = x >= 0 && x + p->kernel_w <= p->in_w && p->dilation_w == 1;
    for (int32_t left = p->kernel_h; left > 0; --left, y += p->dilation_h) {
        if (y < 0 || y >= p->in_h) {
            to = edgec_mve_fill(to, p->in_zero_point, run);
        } else if (inside) {
            const int8_t *from = in + y * pitch + x * p->in_ch;
            const int32_t rows = p->dilation_h == 1 ? between(p->in_h - y, 1, left) : 1;
            for (int32_t k = rows; k > 0; --k, from += pitch) {
                to = edgec_mve_copy(to, from, run);
            }
            left -= rows - 1;
            y += rows - 1;
        } else {
            to = gather_row(p, in + y * pitch, x, to);
        }
    }
}

void edgec_conv_2d_int8_mve_strided(const edgec_conv_2d_int8_mve_params *p, const int8_t *in,
                                    int8_t *out, int32_t stride, void *scratch)
{
    int8_t *patch = scratch;
    const int8_t *window[2] = {patch, patch};
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        int32_t held = 0; /* windows that wait for a second one */
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            int32_t x = -p->pad_left;
            for (int32_t ox = 0; ox < p->out_w; ++ox, x += p->stride_w) {
                if (patch == NULL) {
                    window[held] = in + (y * p->in_w + x) * p->in_ch;
                } else {
                    int8_t *to = patch + held * p->rows.depth;
                    gather(p, in, y, x, to);
                    window[held] = to;
                }
                if (++held == 2) {
                    edgec_mve_two_inputs(&p->rows, window[0], window[1], out, out + stride);
                    out += 2 * stride;
                    held = 0;
                }
            }
        }
        if (held > 0) {
            edgec_mve_one_input(&p->rows, window[0], out, 0);
            out += stride;
        }
    }
}

void edgec_conv_2d_int8_mve(const edgec_conv_2d_int8_mve_params *p, const int8_t *in, int8_t *out,
                            void *scratch)
{
    edgec_conv_2d_int8_mve_strided(p, in, out, p->rows.rows, scratch);
}
