/* edgec: hot */
#include "edgec_conv_2d_int8_thumb1.h"

#include <string.h>

/* acc[i] += sum over k of u[k] * v[4 * k + i]; n is a multiple of 4. */
static void multiply(const uint8_t *u, const uint8_t *v, int32_t n, uint32_t acc[4])
{
#if defined(__thumb__) && !defined(__thumb2__)
#define TAP(k, v0, v1, v2, v3) \
    "ldrb %[x], [%[u], #" #k "]\n\t" \
    "ldrb %[y], [%[v], #" #v0 "]\n\t" \
    "muls %[y], %[x]\n\tadds %[a], %[y]\n\t" \
    "ldrb %[y], [%[v], #" #v1 "]\n\t" \
    "muls %[y], %[x]\n\tadds %[b], %[y]\n\t" \
    "ldrb %[y], [%[v], #" #v2 "]\n\t" \
    "muls %[y], %[x]\n\tadds %[c], %[y]\n\t" \
    "ldrb %[y], [%[v], #" #v3 "]\n\t" \
    "muls %[y], %[x]\n\tadds %[d], %[y]\n\t"
    uint32_t a = acc[0];
    uint32_t b = acc[1];
    uint32_t c = acc[2];
    uint32_t d = acc[3];
    uint32_t x;
    uint32_t y;
    __asm__ volatile(".syntax unified\n"
                     "1:\n\t" TAP(0, 0, 1, 2, 3) TAP(1, 4, 5, 6, 7) TAP(2, 8, 9, 10, 11)
                         TAP(3, 12, 13, 14, 15) "adds %[u], #4\n\t"
                                                "adds %[v], #16\n\t"
                                                "cmp %[u], %[end]\n\t"
                                                "bne 1b\n\t"
                     : [u] "+l"(u), [v] "+l"(v), [a] "+l"(a), [b] "+l"(b), [c] "+l"(c), [d] "+l"(d),
                       [x] "=&l"(x), [y] "=&l"(y)
                     : [end] "h"(u + n)
                     : "cc", "memory");
    acc[0] = a;
    acc[1] = b;
    acc[2] = c;
    acc[3] = d;
#else
    for (int32_t k = 0; k < n; ++k, v += 4) {
        for (int32_t i = 0; i < 4; ++i) {
            acc[i] += (uint32_t)u[k] * v[i];
        }
    }
#endif
}

/* Copy a window as unsigned bytes, border filled with the zero point; returns their sum. */
static uint32_t gather(const edgec_conv_2d_int8_thumb1_params *p, const int8_t *in, int32_t y,
                       int32_t x, uint8_t *u)
{
    const uint8_t fill = (uint8_t)(p->in_zero_point + 128);
    uint32_t sum = 0;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, y += p->dilation_h) {
        int32_t column = x;
        for (int32_t kx = 0; kx < p->kernel_w; ++kx, column += p->dilation_w) {
            if (y < 0 || y >= p->in_h || column < 0 || column >= p->in_w) {
                memset(u, fill, (size_t)p->in_ch);
                u += p->in_ch;
                sum += (uint32_t)fill * (uint32_t)p->in_ch;
                continue;
            }
            const int8_t *a = in + (y * p->in_w + column) * p->in_ch;
            for (int32_t k = p->in_ch; k > 0; --k) {
                const uint32_t byte = (uint32_t)(*a++ + 128);
                *u++ = (uint8_t)byte;
                sum += byte;
            }
        }
    }
    return sum;
}

static void pixel(const edgec_conv_2d_int8_thumb1_params *p, const uint8_t *u, uint32_t sum,
                  int8_t *out)
{
    const edgec_channel *c = p->channels;
    const uint8_t *v = p->weights;
    const uint32_t common = 0u - 128u * sum;
    for (int32_t left = p->out_ch; left > 0; left -= 4, v += 4 * p->depth) {
        uint32_t acc[4] = {common, common, common, common};
        multiply(u, v, p->depth, acc);
        const int32_t count = left < 4 ? left : 4;
        for (int32_t i = 0; i < count; ++i, ++c) {
            const int32_t total = (int32_t)(acc[i] + (uint32_t)c->bias);
            const int32_t q = edgec_requant_double(total, c->multiplier, c->shift);
            *out++ = (int8_t)edgec_clamp(q + p->out_zero_point, p->out_min, p->out_max);
        }
    }
}

void edgec_conv_2d_int8_thumb1(const edgec_conv_2d_int8_thumb1_params *p, const int8_t *in,
                               int8_t *out, void *scratch)
{
    uint8_t *u = scratch;
    memset(u, 0, (size_t)p->depth); /* the padding stays zero */
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->out_ch) {
                const uint32_t sum =
                    gather(p, in, oy * p->stride_h - p->pad_top, ox * p->stride_w - p->pad_left, u);
                pixel(p, u, sum, out);
            }
        }
    }
}
