/* edgec: hot */
#include "edgec_conv_2d_int8_thumb2.h"

#include <string.h>

#include "edgec_requant.h"
#include "edgec_requant_dsp.h"

/* 4 channels of 2 pixels, whose windows are u[2 * k] and u[2 * k + 1]; n is a multiple of 4. */
static void block(const int8_t *u, const int8_t *w, int32_t n, const int32_t *channels,
                  int8_t *out_a, int8_t *out_b)
{
    int32_t a0 = channels[0];
    int32_t a1 = channels[1];
    int32_t a2 = channels[2];
    int32_t a3 = channels[3];
    int32_t b0 = a0;
    int32_t b1 = a1;
    int32_t b2 = a2;
    int32_t b3 = a3;
#if defined(__thumb2__) && !defined(__clang__) /* which wants a register more than there is */
#define CHANNEL(a, b) \
    "ldrsb %[y], [%[w]], #1\n\t" \
    "mla %[" a "], %[p], %[y], %[" a "]\n\t" \
    "mla %[" b "], %[q], %[y], %[" b "]\n\t"
#define TAP \
    "ldrsb %[p], [%[u]], #1\n\t" \
    "ldrsb %[q], [%[u]], #1\n\t" CHANNEL("a0", "b0") CHANNEL("a1", "b1") CHANNEL("a2", "b2") \
        CHANNEL("a3", "b3")
    const int8_t *const end = u + 2 * n; /* in memory: no register is left */
    int32_t p;
    int32_t q;
    int32_t y;
    __asm__ volatile("1:\n\t" TAP TAP TAP TAP "ldr %[y], %[end]\n\t"
                     "cmp %[u], %[y]\n\t"
                     "bne 1b\n\t"
                     : [u] "+r"(u), [w] "+r"(w), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2),
                       [a3] "+r"(a3), [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2), [b3] "+r"(b3),
                       [p] "=&r"(p), [q] "=&r"(q), [y] "=&r"(y)
                     : [end] "m"(end)
                     : "cc", "memory");
#else
    for (int32_t k = 0; k < n; ++k, u += 2, w += 4) {
        a0 += u[0] * w[0];
        a1 += u[0] * w[1];
        a2 += u[0] * w[2];
        a3 += u[0] * w[3];
        b0 += u[1] * w[0];
        b1 += u[1] * w[1];
        b2 += u[1] * w[2];
        b3 += u[1] * w[3];
    }
#endif
    out_a[0] = (int8_t)edgec_finish_double(a0, channels[4], channels[5]);
    out_b[0] = (int8_t)edgec_finish_double(b0, channels[4], channels[5]);
    out_a[1] = (int8_t)edgec_finish_double(a1, channels[6], channels[7]);
    out_b[1] = (int8_t)edgec_finish_double(b1, channels[6], channels[7]);
    out_a[2] = (int8_t)edgec_finish_double(a2, channels[8], channels[9]);
    out_b[2] = (int8_t)edgec_finish_double(b2, channels[8], channels[9]);
    out_a[3] = (int8_t)edgec_finish_double(a3, channels[10], channels[11]);
    out_b[3] = (int8_t)edgec_finish_double(b3, channels[10], channels[11]);
}

static void clamp(const edgec_conv_2d_int8_thumb2_params *p, int8_t *out)
{
    for (int32_t left = p->out_ch; left > 0; --left, ++out) {
        *out = (int8_t)edgec_clamp(*out, p->out_min, p->out_max);
    }
}

/* All channels of 2 pixels; out_a and out_b may be the same. */
static void pixels(const edgec_conv_2d_int8_thumb2_params *p, const int8_t *u, int8_t *out_a,
                   int8_t *out_b)
{
    const int8_t *w = p->weights;
    const int32_t *channels = p->channels;
    for (int32_t at = 0; at < p->out_ch; at += 4, w += 4 * p->depth, channels += 12) {
        int8_t spare[8];
        const int32_t count = p->out_ch - at;
        block(u, w, p->depth, channels, count < 4 ? spare : out_a + at,
              count < 4 ? spare + 4 : out_b + at);
        if (count < 4) {
            memcpy(out_a + at, spare, (size_t)count);
            memcpy(out_b + at, spare + 4, (size_t)count);
        }
    }
    if (p->out_min > INT8_MIN || p->out_max < INT8_MAX) {
        clamp(p, out_a);
        clamp(p, out_b);
    }
}

/* Copy n bytes to every second byte of u. */
static void spread(const int8_t *from, int32_t n, int8_t *u)
{
    for (; n >= 4; n -= 4, from += 4, u += 8) {
        u[0] = from[0];
        u[2] = from[1];
        u[4] = from[2];
        u[6] = from[3];
    }
    for (; n > 0; --n, u += 2) {
        *u = *from++;
    }
}

/* Copy the window whose top left corner is (y, x) to every second byte of u, border filled with the
 * zero point. */
static void gather(const edgec_conv_2d_int8_thumb2_params *p, const int8_t *in, int32_t y,
                   int32_t x, int8_t *u)
{
    const int32_t whole = p->dilation_w == 1 && x >= 0 && x + p->kernel_w <= p->in_w;
    const int32_t runs = whole ? 1 : p->kernel_w;
    const int32_t n = whole ? p->kernel_w * p->in_ch : p->in_ch;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, y += p->dilation_h) {
        int32_t column = x;
        for (int32_t k = 0; k < runs; ++k, column += p->dilation_w, u += 2 * n) {
            if (y >= 0 && y < p->in_h && column >= 0 && column < p->in_w) {
                spread(in + (y * p->in_w + column) * p->in_ch, n, u);
                continue;
            }
            for (int32_t i = 0; i < n; ++i) {
                u[2 * i] = p->in_zero_point;
            }
        }
    }
}

/* Move a window's top left corner to the next pixel of the output. */
static void advance(const edgec_conv_2d_int8_thumb2_params *p, int32_t *y, int32_t *x)
{
    *x += p->stride_w;
    if (*x == p->out_w * p->stride_w - p->pad_left) {
        *x = -p->pad_left;
        *y += p->stride_h;
    }
}

void edgec_conv_2d_int8_thumb2(const edgec_conv_2d_int8_thumb2_params *p, const int8_t *in,
                               int8_t *out, void *scratch)
{
    int8_t *u = scratch;
    memset(u, 0, 2 * (size_t)p->depth); /* the padding stays zero */
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        int32_t y = -p->pad_top;
        int32_t x = -p->pad_left;
        for (int32_t left = p->out_h * p->out_w; left > 0; left -= 2) {
            int8_t *other = out;
            gather(p, in, y, x, u);
            if (left > 1) { /* else the last pixel is made twice */
                advance(p, &y, &x);
                other += p->out_ch;
            }
            gather(p, in, y, x, u + 1);
            advance(p, &y, &x);
            pixels(p, u, out, other);
            out = other + p->out_ch;
        }
    }
}
