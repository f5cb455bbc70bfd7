/* edgec: hot */
#include "edgec_depthwise_conv_2d_int16_dsp.h"

#include <string.h>

#include "edgec_requant.h"
#include "edgec_sum16_dsp.h"

#define BLOCK 4 /* channels */

/* The taps of a window that lie inside the image, as ranges of kernel rows and columns. */
typedef struct {
    const int16_t *in; /* first input inside */
    const int8_t *w;   /* its weight */
    int32_t rows, columns;
} inside;

static int32_t first_inside(int32_t start, int32_t dilation)
{
    return start < 0 ? (-start + dilation - 1) / dilation : 0;
}

static int32_t end_inside(int32_t start, int32_t dilation, int32_t kernel, int32_t size)
{
    const int32_t end = start < size ? (size - start + dilation - 1) / dilation : 0;
    return end < kernel ? end : kernel;
}

static inside clip(const edgec_depthwise_conv_2d_int16_dsp_params *p, const int16_t *in,
                   int32_t y, int32_t x)
{
    const int32_t ky = first_inside(y, p->dilation_h);
    const int32_t kx = first_inside(x, p->dilation_w);
    inside r;
    r.rows = end_inside(y, p->dilation_h, p->kernel_h, p->in_h) - ky;
    r.columns = end_inside(x, p->dilation_w, p->kernel_w, p->in_w) - kx;
    r.in = in + ((y + ky * p->dilation_h) * p->in_w + x + kx * p->dilation_w) * p->channels;
    r.w = p->weights + (ky * p->kernel_w + kx) * p->channels;
    return r;
}

#if defined(__ARM_FEATURE_DSP)

static inline void tap(const int16_t *a, const int8_t *w, int32_t acc[BLOCK])
{
    int32_t x01;
    int32_t x23;
    int32_t w01;
    int32_t w23;
    int32_t all;
    memcpy(&x01, a, 4);
    memcpy(&x23, a + 2, 4);
    memcpy(&all, w, 4);
    __asm__("sxtb16 %0, %2\n\t"
            "sxtb16 %1, %2, ror #8"
            : "=&r"(w01), "=r"(w23)
            : "r"(all));
    __asm__("smlabb %0, %4, %5, %0\n\t"
            "smlatt %1, %4, %5, %1\n\t"
            "smlabb %2, %6, %7, %2\n\t"
            "smlatt %3, %6, %7, %3"
            : "+r"(acc[0]), "+r"(acc[1]), "+r"(acc[2]), "+r"(acc[3])
            : "r"(x01), "r"(w01), "r"(x23), "r"(w23));
}

#else

static inline void tap(const int16_t *a, const int8_t *w, int32_t acc[BLOCK])
{
    acc[0] += a[0] * w[0];
    acc[1] += a[1] * w[2];
    acc[2] += a[2] * w[1];
    acc[3] += a[3] * w[3];
}

#endif

/* The sums of 4 channels, whose inputs and weights lie `in` and `w` on from the window's. */
static void sum(const edgec_depthwise_conv_2d_int16_dsp_params *p, const inside *r,
                const int16_t *a, const int8_t *w, int32_t acc[BLOCK])
{
    const int32_t step = p->dilation_w * p->channels;
    const int32_t row = p->dilation_h * p->in_w * p->channels;
    const int32_t w_row = p->kernel_w * p->channels;
    if (r->columns == 3) {
        for (int32_t y = r->rows; y > 0; --y, a += row, w += w_row) {
            tap(a, w, acc);
            tap(a + step, w + p->channels, acc);
            tap(a + 2 * step, w + 2 * p->channels, acc);
        }
        return;
    }
    for (int32_t y = r->rows; y > 0; --y, a += row, w += w_row) {
        const int16_t *from = a;
        const int8_t *weight = w;
        for (int32_t x = r->columns; x > 0; --x, from += step, weight += p->channels) {
            tap(from, weight, acc);
        }
    }
}

static void pixel(const edgec_depthwise_conv_2d_int16_dsp_params *p, const inside *r, int16_t *out)
{
    for (int32_t c = 0; c < p->channels; c += BLOCK) {
        int32_t acc[BLOCK];
        memcpy(acc, p->starts + c, sizeof acc);
        sum(p, r, r->in + c, r->w + c, acc);
        for (int32_t i = 0; i < BLOCK; ++i) {
            const int32_t v = edgec_requant_short(acc[i], p->scales[c + i], p->shifts[c + i]);
            out[c + i] = (int16_t)edgec_clamp(v, p->out_min, p->out_max);
        }
    }
}

void edgec_depthwise_conv_2d_int16_dsp(const edgec_depthwise_conv_2d_int16_dsp_params *p,
                                       const int16_t *in, int16_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const inside r =
                    clip(p, in, oy * p->stride_h - p->pad_top, ox * p->stride_w - p->pad_left);
                pixel(p, &r, out);
            }
        }
    }
}
