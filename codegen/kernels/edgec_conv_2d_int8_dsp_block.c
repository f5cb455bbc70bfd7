/* edgec: hot */
#include "edgec_conv_2d_int8_dsp_block.h"

#include <string.h>

#include "edgec_requant_dsp.h"

#define BLOCK 4 /* output channels */
#define STREAM 12 /* words per block of the channel stream */

typedef edgec_conv_2d_int8_dsp_blocks frame;

#if defined(__ARM_FEATURE_DSP)

/* r0 lanes, r1 weights; sums of channels 0..3: r2 r4 r6 r8 of pixel a, r3 r5 r7 r9 of pixel b.
 * r4 r5 r8 r9 sum both channels of their weight word until the loop is over. */
#define PAIR \
    "ldrd r10, r11, [r0], #8\n\t" \
    "ldrd r12, lr, [r1], #8\n\t" \
    "smlad r4, r12, r10, r4\n\t" \
    "smlad r5, r12, r11, r5\n\t" \
    "sxtb16 r12, r12\n\t" \
    "smlad r8, lr, r10, r8\n\t" \
    "smlad r9, lr, r11, r9\n\t" \
    "sxtb16 lr, lr\n\t" \
    "smlad r2, r12, r10, r2\n\t" \
    "smlad r3, r12, r11, r3\n\t" \
    "smlad r6, lr, r10, r6\n\t" \
    "smlad r7, lr, r11, r7\n\t"

#define SPLIT(both, low) \
    "sub " both ", " both ", " low "\n\t" \
    "asr " both ", " both ", #8\n\t"

#define FINISH(acc, scale, finish) \
    "smmlar " acc ", " acc ", " scale ", " acc "\n\t" \
    "add " acc ", " acc ", " acc ", asr #31\n\t" \
    "add " acc ", " acc ", " finish ", asr #8\n\t" \
    "asr " acc ", " acc ", " finish "\n\t" \
    "ssat " acc ", #8, " acc "\n\t"

#define FINISH_FOUR(low_a, low_b, high_a, high_b) \
    "ldm r0!, {r10, r11, r12, lr}\n\t" SPLIT(high_a, low_a) SPLIT(high_b, low_b) \
        FINISH(low_a, "r10", "r11") FINISH(low_b, "r10", "r11") FINISH(high_a, "r12", "lr") \
            FINISH(high_b, "r12", "lr")

#define JOIN(out, second, third, fourth) \
    "bfi " out ", " second ", #8, #8\n\t" \
    "bfi " out ", " third ", #16, #8\n\t" \
    "bfi " out ", " fourth ", #24, #8\n\t"

#define CLAMP(out) \
    "ssub8 r4, " out ", r10\n\t" \
    "sel " out ", " out ", r10\n\t" \
    "ssub8 r4, r11, " out "\n\t" \
    "sel " out ", " out ", r11\n\t"

#if defined(__OPTIMIZE_SIZE__)
#define LONG_LOOP "\n"
#else
#define LONG_LOOP \
    "cmp r0, r12\n\t" \
    "beq 3f\n" \
    "2:\n\t" PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR "ldrd r12, lr, [sp, #4]\n\t" \
    "cmp r0, r12\n\t" \
    "bne 2b\n\t" \
    "cmp r0, lr\n\t" \
    "beq 4f\n"
#endif

/* Make the blocks of `work`, whose first ten words go to the stack. */
static void run(const frame *work, const int32_t *weights)
{
    register const frame *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    /* clang-format off */
    __asm__ volatile(
        "ldm r0, {r2-r11}\n\t"
        "push {r2-r11}\n\t"
        "mov r0, r7\n"
        "1:\n\t" /* a block: the sums' start values */
        "ldm r0!, {r2, r4, r6, r8}\n\t"
        "str r0, [sp, #20]\n\t"
        "ldrd r0, r12, [sp]\n\t"
        "mov r3, r2\n\t"
        "mov r5, r4\n\t"
        "mov r7, r6\n\t"
        "mov r9, r8\n\t"
        LONG_LOOP
        "3:\n\t"
        PAIR PAIR
        "ldr r12, [sp, #8]\n\t"
        "cmp r0, r12\n\t"
        "bne 3b\n"
        "4:\n\t"
        "ldr r0, [sp, #20]\n\t"
        FINISH_FOUR("r2", "r3", "r4", "r5")
        FINISH_FOUR("r6", "r7", "r8", "r9")
        JOIN("r2", "r4", "r6", "r8")
        JOIN("r3", "r5", "r7", "r9")
        "ldr r4, [sp, #28]\n\t"
        "cbz r4, 5f\n\t"
        "ldrd r10, r11, [sp, #32]\n\t"
        CLAMP("r2")
        CLAMP("r3")
        "5:\n\t"
        "ldrd r10, r11, [sp, #12]\n\t"
        "str r3, [r11], #4\n\t"
        "str r2, [r10], #4\n\t"
        "strd r10, r11, [sp, #12]\n\t"
        "ldr r12, [sp, #24]\n\t"
        "cmp r0, r12\n\t"
        "bne 1b\n\t"
        "add sp, sp, #40"
        : "+r"(r0), "+r"(r1)
        :
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
          "memory");
    /* clang-format on */
}

#else

/* acc + both products of two pairs of int16, modulo 2^32. */
static uint32_t smlad(uint32_t x, uint32_t y, uint32_t acc)
{
    const int32_t low = (int16_t)(x & 0xffffu) * (int16_t)(y & 0xffffu);
    const int32_t high = (int16_t)(x >> 16) * (int16_t)(y >> 16);
    return acc + (uint32_t)low + (uint32_t)high;
}

static uint32_t sxtb16(uint32_t x)
{
    return (uint32_t)(uint16_t)(int8_t)(x & 0xffu) | (uint32_t)(uint16_t)(int8_t)(x >> 16 & 0xffu)
                                                         << 16;
}

/* One pixel's sums of a block; `lanes` points to the pixel's first pair. */
static void sum(const frame *work, const uint32_t *lanes, const int32_t *weights, uint32_t acc[])
{
    const int32_t pairs = (int32_t)((work->lanes_end - work->lanes) / 2);
    for (int32_t i = 0; i < pairs; ++i, lanes += 2, weights += 2) {
        for (int32_t w = 0; w < 2; ++w) {
            acc[2 * w] = smlad(sxtb16((uint32_t)weights[w]), *lanes, acc[2 * w]);
            acc[2 * w + 1] = smlad((uint32_t)weights[w], *lanes, acc[2 * w + 1]);
        }
    }
}

static void finish(const frame *work, const int32_t *channels, const uint32_t acc[], int8_t *out)
{
    const int32_t low = (int8_t)(work->out_min & 0xffu);
    const int32_t high = (int8_t)(work->out_max & 0xffu);
    for (int32_t i = 0; i < BLOCK; ++i) {
        const int32_t x = i % 2 ? (int32_t)(acc[i] - acc[i - 1]) >> 8 : (int32_t)acc[i];
        const int32_t v = edgec_finish_double(x, channels[4 + 2 * i], channels[5 + 2 * i]);
        out[i] = (int8_t)(v < low ? low : v > high ? high : v);
    }
}

static void run(const frame *work, const int32_t *weights)
{
    int8_t *out_a = work->out_a;
    int8_t *out_b = work->out_b;
    const int32_t *c = work->channels;
    for (; c != work->channels_end; c += STREAM, out_a += BLOCK, out_b += BLOCK) {
        for (int32_t pixel = 1; pixel >= 0; --pixel) {
            uint32_t acc[BLOCK];
            memcpy(acc, c, sizeof acc);
            sum(work, work->lanes + pixel, weights, acc);
            finish(work, c, acc, pixel ? out_b : out_a);
        }
        weights += work->lanes_end - work->lanes;
    }
}

#endif

void edgec_conv_2d_int8_dsp_pixels(edgec_conv_2d_int8_dsp_blocks *work, int8_t *out, int32_t pixels)
{
    const int32_t rest = work->out_ch % BLOCK;
    const int32_t stride = pixels == 2 ? work->out_stride : 0;
    work->out_a = out;
    work->out_b = out + stride;
    if (work->channels != work->channels_end) {
        run(work, work->weights);
    }
    if (rest > 0) {
        const int32_t whole = work->out_ch - rest;
        int8_t last[2 * BLOCK];
        frame tail = *work;
        tail.out_a = last;
        tail.out_b = last + BLOCK;
        tail.channels = work->channels_end;
        tail.channels_end = tail.channels + STREAM;
        run(&tail, work->weights + whole / BLOCK * (work->lanes_end - work->lanes));
        for (int32_t i = 0; i < rest; ++i) {
            out[stride + whole + i] = last[BLOCK + i];
            out[whole + i] = last[i];
        }
    }
}
