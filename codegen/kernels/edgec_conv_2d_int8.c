/* edgec: hot */
#include "edgec_conv_2d_int8.h"

#include <string.h>

#include "edgec_dot.h"

/* Copy the window whose top left corner is (y, x), border filled with the zero point. */
static void gather(const edgec_conv_2d_int8_params *p, const int8_t *in, int32_t y, int32_t x,
                   int8_t *patch)
{
    const int32_t depth = p->in_ch / p->groups;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, y += p->dilation_h) {
        int32_t column = x;
        for (int32_t kx = 0; kx < p->kernel_w; ++kx, column += p->dilation_w) {
            if (y < 0 || y >= p->in_h || column < 0 || column >= p->in_w) {
                memset(patch, p->in_zero_point, (size_t)depth);
            } else {
                memcpy(patch, in + (y * p->in_w + column) * p->in_ch, (size_t)depth);
            }
            patch += depth;
        }
    }
}

void edgec_conv_2d_int8_pixel(const edgec_conv_2d_int8_params *p, const int8_t *patch,
                              int32_t group, int8_t *out)
{
    const int32_t n = p->kernel_h * p->kernel_w * (p->in_ch / p->groups);
    const int32_t rows = p->out_ch / p->groups;
    const int8_t *w = p->weights + group * rows * n;
    const edgec_channel *c = p->channels + group * rows;
    int32_t r = 0;
    for (; r + 4 <= rows; r += 4, w += 4 * n, c += 4) {
        int32_t acc[4] = {c[0].bias, c[1].bias, c[2].bias, c[3].bias};
        edgec_dot4(patch, w, n, n, acc);
        for (int32_t i = 0; i < 4; ++i) {
            out[r + i] = edgec_conv_2d_int8_finish(p, c + i, acc[i]);
        }
    }
    for (; r < rows; ++r, w += n, ++c) {
        out[r] = edgec_conv_2d_int8_finish(p, c, edgec_dot1(patch, w, n, c->bias));
    }
}

void edgec_conv_2d_int8_windows(const edgec_conv_2d_int8_params *p, const int8_t *in, int8_t *out,
                                int32_t stride, edgec_conv_2d_int8_sums *pixel, void *scratch)
{
    int8_t *patch = scratch;
    const int32_t depth = p->in_ch / p->groups;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += stride) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                if (patch == NULL) {
                    pixel(p, in + (y * p->in_w + x) * p->in_ch, 0, out);
                    continue;
                }
                for (int32_t g = 0; g < p->groups; ++g) {
                    gather(p, in + g * depth, y, x, patch);
                    pixel(p, patch, g, out + g * (p->out_ch / p->groups));
                }
            }
        }
    }
}

void edgec_conv_2d_int8(const edgec_conv_2d_int8_params *p, const int8_t *in, int8_t *out,
                        void *scratch)
{
    edgec_conv_2d_int8_windows(p, in, out, p->out_ch, edgec_conv_2d_int8_pixel, scratch);
}
