/* edgec: hot */
#include "edgec_depthwise_conv_2d_int16_dsp.h"

#include "edgec_requant.h"
#include "edgec_sum16_dsp.h"
#include "edgec_taps_inside.h"

#define BLOCK 4 /* channels */

/* The part of a window that lies inside the image; steps are in elements. */
typedef struct {
    int32_t rows, columns;
    int32_t step;     /* from one column to the next */
    int32_t row_skip; /* from behind a row to the next */
    int32_t w_skip;   /* the same of the weights */
} shape;

#if defined(__ARM_FEATURE_DSP)

/* Four channels at one tap; the input goes on to the next column. */
#define TAP \
    "ldr %[w0], [%[w]], #4\n\t" \
    "ldr %[x1], [%[a], #4]\n\t" \
    "ldr %[x0], [%[a]]\n\t" \
    "add %[a], %[a], %[step]\n\t" \
    "sxtb16 %[w1], %[w0], ror #8\n\t" \
    "sxtb16 %[w0], %[w0]\n\t" \
    "smlabb %[s0], %[x0], %[w0], %[s0]\n\t" \
    "smlatt %[s1], %[x0], %[w0], %[s1]\n\t" \
    "smlabb %[s2], %[x1], %[w1], %[s2]\n\t" \
    "smlatt %[s3], %[x1], %[w1], %[s3]\n\t"

#define SUM(taps) \
    __asm__ volatile(taps \
                     : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [a] "+r"(a), \
                       [w] "+r"(w), [x0] "=&r"(x0), [x1] "=&r"(x1), [w0] "=&r"(w0), [w1] "=&r"(w1) \
                     : [step] "r"(step) \
                     : "memory")

/* Add the products of a window's taps to the sums of a block. */
static inline void sum(const shape *f, const int16_t *a, const int8_t *w, int32_t acc[BLOCK])
{
    const int32_t step = f->step * 2;
    int32_t s0 = acc[0];
    int32_t s1 = acc[1];
    int32_t s2 = acc[2];
    int32_t s3 = acc[3];
    int32_t x0;
    int32_t x1;
    int32_t w0;
    int32_t w1;
    if (f->columns == 3) {
        for (int32_t y = f->rows; y > 0; --y, a += f->row_skip, w += f->w_skip) {
            SUM(TAP TAP TAP);
        }
    } else {
        for (int32_t y = f->rows; y > 0; --y, a += f->row_skip, w += f->w_skip) {
            for (int32_t x = f->columns; x > 0; --x) {
                SUM(TAP);
            }
        }
    }
    acc[0] = s0;
    acc[1] = s1;
    acc[2] = s2;
    acc[3] = s3;
}

#else

static inline void sum(const shape *f, const int16_t *a, const int8_t *w, int32_t acc[BLOCK])
{
    for (int32_t y = f->rows; y > 0; --y, a += f->row_skip, w += f->w_skip) {
        for (int32_t x = f->columns; x > 0; --x, a += f->step, w += BLOCK) {
            acc[0] += a[0] * w[0];
            acc[1] += a[1] * w[2];
            acc[2] += a[2] * w[1];
            acc[3] += a[3] * w[3];
        }
    }
}

#endif

static void pixel(const edgec_depthwise_conv_2d_int16_dsp_params *p, const shape *f,
                  const int16_t *in, const int8_t *w, int16_t *out)
{
    const int32_t block = p->kernel_h * p->kernel_w * BLOCK;
    const int32_t last = p->channels - BLOCK;
    const int32_t low = p->out_min;
    const int32_t high = p->out_max;
    const int32_t *start = p->starts;
    const int32_t *scale = p->scales;
    const uint8_t *shift = p->shifts;
    for (int32_t at = 0; at < last + BLOCK; at += BLOCK, w += block) {
        const int32_t c = at < last ? at : last;
        int16_t *const to = out + c;
        int32_t acc[BLOCK] = {start[0], start[1], start[2], start[3]};
        sum(f, in + c, w, acc);
        start += BLOCK;
        for (int32_t i = 0; i < BLOCK; ++i) {
            const int32_t v = edgec_requant_short(acc[i], *scale++, *shift++);
            to[i] = (int16_t)edgec_clamp(v, low, high);
        }
    }
}

void edgec_depthwise_conv_2d_int16_dsp(const edgec_depthwise_conv_2d_int16_dsp_params *p,
                                       const int16_t *in, int16_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            const int32_t ky = edgec_first_inside(y, p->dilation_h);
            int32_t x = -p->pad_left;
            shape f;
            f.rows = edgec_end_inside(y, p->dilation_h, p->kernel_h, p->in_h) - ky;
            f.step = p->dilation_w * p->channels;
            for (int32_t ox = 0; ox < p->out_w; ++ox, x += p->stride_w, out += p->channels) {
                const int32_t inside = x >= 0 && x + (p->kernel_w - 1) * p->dilation_w < p->in_w;
                const int32_t kx = inside ? 0 : edgec_first_inside(x, p->dilation_w);
                const int32_t end =
                    inside ? p->kernel_w : edgec_end_inside(x, p->dilation_w, p->kernel_w, p->in_w);
                f.columns = end - kx;
                f.row_skip = p->dilation_h * p->in_w * p->channels - f.columns * f.step;
                f.w_skip = (p->kernel_w - f.columns) * BLOCK;
                pixel(p, &f,
                      in + ((y + ky * p->dilation_h) * p->in_w + x + kx * p->dilation_w) *
                               p->channels,
                      p->weights + (ky * p->kernel_w + kx) * BLOCK, out);
            }
        }
    }
}
