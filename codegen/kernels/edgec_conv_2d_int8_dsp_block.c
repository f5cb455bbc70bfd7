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

#define CLAMP(out) \
    "ssub8 r0, " out ", r10\n\t" \
    "sel " out ", " out ", r10\n\t" \
    "ssub8 r0, r11, " out "\n\t" \
    "sel " out ", " out ", r11\n\t"

static void run(const frame *work, const int32_t *weights)
{
    register const frame *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    __asm__ volatile(
        "ldm r0, {r2-r10}\n\t"
        "push {r2-r10}\n"
        "1:\n\t" /* a block: the sums' start values */
        "ldr r12, [sp, #20]\n\t"
        "ldr r0, [sp]\n\t"
        "ldm r12!, {r2, r4, r6, r8}\n\t"
        "str r12, [sp, #20]\n\t"
        "ldr r12, [sp, #4]\n\t"
        "mov r3, r2\n\t"
        "mov r5, r4\n\t"
        "mov r7, r6\n\t"
        "mov r9, r8\n\t"
        "cmp r0, r12\n\t"
        "beq 3f\n"
        "2:\n\t" PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "bne 2b\n"
        "3:\n\t"
        "ldr r12, [sp, #8]\n\t"
        "cmp r0, r12\n\t"
        "beq 5f\n"
        "4:\n\t" PAIR PAIR "ldr r12, [sp, #8]\n\t"
        "cmp r0, r12\n\t"
        "bne 4b\n"
        "5:\n\t"
        "ldr r0, [sp, #20]\n\t"
        "ldm r0!, {r10, r11, r12, lr}\n\t" SPLIT("r4", "r2") SPLIT("r5", "r3")
            FINISH("r2", "r10", "r11") FINISH("r3", "r10", "r11") FINISH("r4", "r12", "lr") FINISH(
                "r5", "r12",
                "lr") "ldm r0!, {r10, r11, r12, lr}\n\t"
                      "str r0, [sp, #20]\n\t" SPLIT("r8", "r6") SPLIT("r9", "r7") FINISH(
                          "r6", "r10", "r11") FINISH("r7", "r10", "r11") FINISH("r8", "r12", "lr")
                          FINISH("r9", "r12", "lr") "bfi r2, r4, #8, #8\n\t"
                                                    "bfi r3, r5, #8, #8\n\t"
                                                    "bfi r2, r6, #16, #8\n\t"
                                                    "bfi r3, r7, #16, #8\n\t"
                                                    "bfi r2, r8, #24, #8\n\t"
                                                    "bfi r3, r9, #24, #8\n\t"
                                                    "ldrd r10, r11, [sp, #28]\n\t"
                                                    "cmp r10, #0x80808080\n\t"
                                                    "it eq\n\t"
                                                    "cmpeq r11, #0x7f7f7f7f\n\t"
                                                    "beq 6f\n\t" CLAMP("r2")
                                                        CLAMP("r3") "6:\n\t"
                                                                    "ldrd r10, r11, [sp, #12]\n\t"
                                                                    "str r3, [r11], #4\n\t"
                                                                    "str r2, [r10], #4\n\t"
                                                                    "strd r10, r11, [sp, #12]\n\t"
                                                                    "ldrd r10, r11, [sp, #20]\n\t"
                                                                    "cmp r10, r11\n\t"
                                                                    "bne 1b\n\t"
                                                                    "add sp, sp, #36"
        : "+r"(r0), "+r"(r1)
        :
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
          "memory");
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
    const int32_t stride = pixels == 2 ? work->out_ch : 0;
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
