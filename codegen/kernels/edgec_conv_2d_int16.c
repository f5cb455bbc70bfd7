/* edgec: hot */
#include "edgec_conv_2d_int16.h"

#include <string.h>

#include "edgec_sum16.h"

/* Copy the window whose top left corner is (y, x), border filled with zeros. */
static void gather(const edgec_conv_2d_int16_params *p, const int16_t *in, int32_t y, int32_t x,
                   int16_t *patch)
{
    const int32_t depth = p->in_ch / p->groups;
    const size_t bytes = (size_t)depth * sizeof *patch;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, y += p->dilation_h) {
        int32_t column = x;
        for (int32_t kx = 0; kx < p->kernel_w; ++kx, column += p->dilation_w) {
            if (y < 0 || y >= p->in_h || column < 0 || column >= p->in_w) {
                memset(patch, 0, bytes);
            } else {
                memcpy(patch, in + (y * p->in_w + column) * p->in_ch, bytes);
            }
            patch += depth;
        }
    }
}

static int16_t finish(const edgec_conv_2d_int16_params *p, int32_t channel, int64_t sum)
{
    const int32_t multiplier = p->multipliers[channel];
    const int32_t shift = p->shifts[channel];
    const int32_t v = p->rounds_twice ? edgec_requant_double((int32_t)sum, multiplier, shift)
                                      : edgec_requant_reduced(sum, multiplier, shift);
    return (int16_t)edgec_clamp(v, p->out_min, p->out_max);
}

/* All output channels of one group at one pixel. */
static void pixel(const edgec_conv_2d_int16_params *p, const int16_t *patch, int32_t group,
                  int16_t *out)
{
    const int32_t n = p->kernel_h * p->kernel_w * (p->in_ch / p->groups);
    const int32_t end = (group + 1) * (p->out_ch / p->groups);
    int32_t c = end - p->out_ch / p->groups;
    const int8_t *w = p->weights + c * n;
    for (; c + 4 <= end; c += 4, w += 4 * n) {
        int64_t sums[4];
        memcpy(sums, p->bias + c, sizeof sums);
        edgec_sum16_rows4(patch, w, n, n, sums);
        for (int32_t i = 0; i < 4; ++i) {
            out[c + i] = finish(p, c + i, sums[i]);
        }
    }
    for (; c < end; ++c, w += n) {
        out[c] = finish(p, c, edgec_sum16_row(patch, w, n, p->bias[c]));
    }
}

void edgec_conv_2d_int16(const edgec_conv_2d_int16_params *p, const int16_t *in, int16_t *out,
                         void *scratch)
{
    int16_t *patch = scratch;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->out_ch) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                if (patch == NULL) {
                    pixel(p, in + (y * p->in_w + x) * p->in_ch, 0, out);
                    continue;
                }
                for (int32_t g = 0; g < p->groups; ++g) {
                    gather(p, in + g * (p->in_ch / p->groups), y, x, patch);
                    pixel(p, patch, g, out);
                }
            }
        }
    }
}
