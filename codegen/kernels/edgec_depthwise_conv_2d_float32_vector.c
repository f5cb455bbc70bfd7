/* edgec: hot */
#include "edgec_depthwise_conv_2d_float32_vector.h"

#include <stddef.h>

#include "edgec_float32_vector.h"

/* Channels side by side, taps of a 3x3 window in registers. */
typedef struct {
    const edgec_depthwise_conv_2d_float32_vector_params *p;
    edgec_vector bias, low, high;
    int32_t y0, y1; /* rows of the window that lie inside */
} edgec_lane_block;

EDGEC_INLINE edgec_vector clamped(const edgec_lane_block *b, edgec_vector sum)
{
    return edgec_smaller(edgec_larger(sum, b->low), b->high);
}

/* A window that may reach over the border: in is its corner, w its first tap. */
static edgec_vector any_window(const edgec_lane_block *b, const float *in, const float *w,
                               int32_t x)
{
    const edgec_depthwise_conv_2d_float32_vector_params *p = b->p;
    const int32_t row = p->dilation_h * p->in_w * p->in_ch;
    edgec_vector sum = b->bias;
    for (int32_t ky = b->y0; ky < b->y1; ++ky) {
        for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
            const int32_t column = x + kx * p->dilation_w;
            if (column >= 0 && column < p->in_w) {
                const float *a = in + ky * row + kx * p->dilation_w * p->in_ch;
                const float *tap = w + (ky * p->kernel_w + kx) * p->in_ch;
                sum = edgec_multiply_add(edgec_load(a), edgec_load(tap), sum);
            }
        }
    }
    return clamped(b, sum);
}

/* Outputs `first` to `end` of a row, all windows inside and 3x3. */
static void inner_3x3(const edgec_lane_block *b, const float *in, const float *w, float *out,
                      int32_t first, int32_t end)
{
    const edgec_depthwise_conv_2d_float32_vector_params *p = b->p;
    const int32_t row = p->in_w * p->in_ch;
    const int32_t step = p->stride_w * p->in_ch;
    edgec_vector tap[9];
    EDGEC_UNROLL for (int i = 0; i < 9; ++i)
    {
        tap[i] = edgec_load(w + i * p->in_ch);
    }
    in += first * step;
    out += first * p->in_ch;
    for (int32_t ox = first; ox < end; ++ox, in += step, out += p->in_ch) {
        edgec_vector sum = b->bias;
        EDGEC_UNROLL for (int ky = 0; ky < 3; ++ky)
        {
            EDGEC_UNROLL for (int kx = 0; kx < 3; ++kx)
            {
                const edgec_vector a = edgec_load(in + ky * row + kx * p->in_ch);
                sum = edgec_multiply_add(a, tap[3 * ky + kx], sum);
            }
        }
        edgec_store(out, clamped(b, sum));
    }
}

static int32_t limited(int32_t x, int32_t most)
{
    return x < 0 ? 0 : x > most ? most : x;
}

/* How many windows begin before `bound`, at -pad + n * stride. */
static int32_t begun(int32_t bound, int32_t pad, int32_t stride, int32_t most)
{
    return limited((bound + pad + stride - 1) / stride, most);
}

/* One row of outputs of EDGEC_LANES channels; in and out are at the row's first pixel. */
static void block_row(edgec_lane_block *b, const float *in, float *out, int32_t y, int32_t channel)
{
    const edgec_depthwise_conv_2d_float32_vector_params *p = b->p;
    const float *w = p->weights + channel;
    const float *corner = in + channel + (y * p->in_w - p->pad_left) * p->in_ch;
    const int32_t reach = (p->kernel_w - 1) * p->dilation_w;
    b->bias = edgec_load(p->bias + channel);
    b->y0 = y < 0 ? (-y + p->dilation_h - 1) / p->dilation_h : 0;
    b->y1 = limited((p->in_h - y + p->dilation_h - 1) / p->dilation_h, p->kernel_h);
    int32_t first = p->out_w;
    int32_t end = p->out_w;
    const int plain = p->kernel_h == 3 && p->kernel_w == 3 && p->dilation_h == 1 &&
                      p->dilation_w == 1 && b->y0 == 0 && b->y1 == 3;
    if (plain && p->in_w > reach) {
        first = begun(0, p->pad_left, p->stride_w, p->out_w);
        end = begun(p->in_w - reach, p->pad_left, p->stride_w, p->out_w);
        inner_3x3(b, corner, w, out + channel, first, end);
    }
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
        if (ox == first && end > first) {
            ox = end - 1;
            continue;
        }
        const int32_t x = ox * p->stride_w;
        edgec_store(out + ox * p->in_ch + channel,
                    any_window(b, corner + x * p->in_ch, w, x - p->pad_left));
    }
}

/* One channel of a row, where there are fewer left than a vector has lanes. */
static void channel_row(const edgec_lane_block *b, const float *in, float *out, int32_t y,
                        int32_t channel)
{
    const edgec_depthwise_conv_2d_float32_vector_params *p = b->p;
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
        const int32_t x = ox * p->stride_w - p->pad_left;
        float sum = p->bias[channel];
        for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
            for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
                const int32_t row = y + ky * p->dilation_h;
                const int32_t column = x + kx * p->dilation_w;
                if (row >= 0 && row < p->in_h && column >= 0 && column < p->in_w) {
                    sum += in[(row * p->in_w + column) * p->in_ch + channel] *
                           p->weights[(ky * p->kernel_w + kx) * p->in_ch + channel];
                }
            }
        }
        sum = sum < p->out_min ? p->out_min : sum;
        out[ox * p->in_ch + channel] = sum > p->out_max ? p->out_max : sum;
    }
}

void edgec_depthwise_conv_2d_float32_vector(const edgec_depthwise_conv_2d_float32_vector_params *p,
                                            const float *in, float *out)
{
    edgec_lane_block block;
    block.p = p;
    block.low = edgec_all(p->out_min);
    block.high = edgec_all(p->out_max);
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy, out += p->out_w * p->in_ch) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            int32_t channel = 0;
            for (; channel + EDGEC_LANES <= p->in_ch; channel += EDGEC_LANES) {
                block_row(&block, in, out, y, channel);
            }
            for (; channel < p->in_ch; ++channel) {
                channel_row(&block, in, out, y, channel);
            }
        }
    }
}
