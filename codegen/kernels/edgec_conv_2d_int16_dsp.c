/* edgec: hot */
#include "edgec_conv_2d_int16_dsp.h"

#include <string.h>

#include "edgec_requant.h"
#include "edgec_sum16_dsp.h"

#define BLOCK 4 /* output channels */

/* The windows of two pixels in pairs of products that alternate: a0 a1, b0 b1, a2 a3, b2 b3 ... */
typedef int16_t lanes;

/* Product k of the first pixel; the second one's is two elements on. */
static lanes *lane(lanes *to, int32_t k)
{
    return to + 2 * (k & ~1) + (k & 1);
}

/* Write n products from the k-th on, or zeros where `from` is null; returns k + n. */
static int32_t put(lanes *to, int32_t k, const int16_t *from, int32_t n)
{
    const int32_t end = k + n;
    if (from == NULL) {
        for (; k < end; ++k) {
            *lane(to, k) = 0;
        }
        return end;
    }
    if ((k & 1) != 0 && k < end) {
        *lane(to, k++) = *from++;
    }
    for (; k + 2 <= end; k += 2, from += 2) {
        memcpy(to + 2 * k, from, 4);
    }
    if (k < end) {
        *lane(to, k) = *from;
    }
    return end;
}

/* One pixel's window, whose top left corner is (y, x), border filled with zeros. */
static void gather(const edgec_conv_2d_int16_dsp_params *p, const int16_t *in, int32_t y, int32_t x,
                   lanes *to)
{
    const int32_t whole = p->dilation_w == 1 && x >= 0 && x + p->kernel_w <= p->in_w;
    const int32_t run = whole ? p->kernel_w * p->in_ch : p->in_ch;
    const int32_t runs = whole ? 1 : p->kernel_w;
    int32_t k = 0;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, y += p->dilation_h) {
        int32_t column = x;
        for (int32_t i = 0; i < runs; ++i, column += p->dilation_w) {
            const int32_t inside = y >= 0 && y < p->in_h && column >= 0 && column < p->in_w;
            k = put(to, k, inside ? in + (y * p->in_w + column) * p->in_ch : NULL, run);
        }
    }
}

#if defined(__ARM_FEATURE_DSP)

/* r0 lanes, r1 weights; sums of channels 0..3: r2 r4 r6 r8 of pixel a, r3 r5 r7 r9 of pixel b. */
#define TWO_ROWS(low_a, low_b, high_a, high_b) \
    "ldr r12, [r1], #4\n\t" \
    "sxtb16 lr, r12, ror #8\n\t" \
    "sxtb16 r12, r12\n\t" \
    "smlad " low_a ", r12, r10, " low_a "\n\t" \
    "smlad " low_b ", r12, r11, " low_b "\n\t" \
    "smlad " high_a ", lr, r10, " high_a "\n\t" \
    "smlad " high_b ", lr, r11, " high_b "\n\t"

#define PAIR \
    "ldrd r10, r11, [r0], #8\n\t" TWO_ROWS("r2", "r3", "r4", "r5") TWO_ROWS("r6", "r7", "r8", "r9")

/* sums[2 * channel + pixel] of one block; returns the weights behind it. */
static const int32_t *sum(const lanes *from, const lanes *long_end, const lanes *end,
                          const int32_t *weights, const int32_t *starts, int32_t *sums)
{
    const void *const frame[4] = {long_end, end, sums, from};
    register const void *const *r0 __asm__("r0") = frame;
    register const int32_t *r1 __asm__("r1") = weights;
    register const int32_t *r2 __asm__("r2") = starts;
    /* clang-format off */
    __asm__ volatile(
        "ldm r0, {r3, r4, r5, r6}\n\t"
        "push {r3, r4, r5, r6}\n\t"
        "mov r0, r6\n\t"
        "mov r12, r3\n\t"
        "ldm r2, {r2, r4, r6, r8}\n\t"
        "mov r3, r2\n\t"
        "mov r5, r4\n\t"
        "mov r7, r6\n\t"
        "mov r9, r8\n\t"
        "cmp r0, r12\n\t"
        "beq 2f\n"
        "1:\n\t"
        PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR
        "ldr r12, [sp]\n\t"
        "cmp r0, r12\n\t"
        "bne 1b\n"
        "2:\n\t"
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "beq 4f\n"
        "3:\n\t"
        PAIR PAIR
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "bne 3b\n"
        "4:\n\t"
        "ldr r12, [sp, #8]\n\t"
        "stm r12, {r2-r9}\n\t"
        "add sp, sp, #16"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
    return r1;
}

#else

static const int32_t *sum(const lanes *from, const lanes *long_end, const lanes *end,
                          const int32_t *weights, const int32_t *starts, int32_t *sums)
{
    uint32_t acc[2 * BLOCK];
    (void)long_end;
    for (int32_t i = 0; i < 2 * BLOCK; ++i) {
        acc[i] = (uint32_t)starts[i / 2];
    }
    for (; from != end; from += 4, weights += 2) {
        for (int32_t i = 0; i < 2 * BLOCK; ++i) {
            const int16_t *x = from + 2 * (i % 2);
            acc[i] = edgec_sum16_pair(acc[i], weights[i / 4], i / 2 % 2, x[0], x[1]);
        }
    }
    memcpy(sums, acc, sizeof acc);
    return weights;
}

#endif

/* Rescale and store n channels of two pixels, whose sums alternate. */
static void finish(const edgec_conv_2d_int16_dsp_params *p, int32_t channel, const int32_t *sums,
                   int16_t *a, int16_t *b, int32_t n)
{
    const int32_t *scales = p->scales + channel;
    const uint8_t *shifts = p->shifts + channel;
    const int32_t low = p->out_min;
    const int32_t high = p->out_max;
    for (int32_t i = 0; i < n; ++i, sums += 2) {
        const int32_t scale = scales[i];
        const int32_t shift = shifts[i];
        a[i] = (int16_t)edgec_clamp(edgec_requant_short(sums[0], scale, shift), low, high);
        b[i] = (int16_t)edgec_clamp(edgec_requant_short(sums[1], scale, shift), low, high);
    }
}

/* All channels of two pixels; where there is one, `b` is its output, too. */
static void channels(const edgec_conv_2d_int16_dsp_params *p, const lanes *from, int16_t *a,
                     int16_t *b)
{
    const int32_t *weights = p->weights;
    int32_t sums[2 * BLOCK];
    for (int32_t c = 0; c < p->out_ch; c += BLOCK) {
        const int32_t n = p->out_ch - c < BLOCK ? p->out_ch - c : BLOCK;
        weights = sum(from, from + 2 * (p->depth & ~15), from + 2 * p->depth, weights,
                      p->starts + c, sums);
        finish(p, c, sums, a + c, b + c, n);
    }
}

void edgec_conv_2d_int16_dsp(const edgec_conv_2d_int16_dsp_params *p, const int16_t *in,
                             int16_t *out, void *scratch)
{
    lanes *const to = scratch;
    memset(to, 0, (size_t)p->depth * 4); /* products beyond the window stay zero */
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        int32_t y = -p->pad_top;
        int32_t x = -p->pad_left;
        const int32_t end = p->out_w * p->stride_w - p->pad_left;
        for (int32_t left = p->out_h * p->out_w; left > 0; left -= 2) {
            const int32_t pixels = left > 1 ? 2 : 1;
            /* a last one is made twice */
            for (int32_t i = 2 - pixels; i < 2; ++i) {
                gather(p, in, y, x, to + 2 * i);
                x += p->stride_w;
                if (x == end) {
                    x = -p->pad_left;
                    y += p->stride_h;
                }
            }
            channels(p, to, out, out + (pixels - 1) * p->out_ch);
            out += pixels * p->out_ch;
        }
    }
}
