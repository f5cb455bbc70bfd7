/* What the kernels over edgec_conv_2d_int8_dsp_block.h have in common: how a block of 4 output
 * channels begins and ends. Each has its own sums in between. */
#ifndef EDGEC_CONV_2D_INT8_DSP_RUN_H
#define EDGEC_CONV_2D_INT8_DSP_RUN_H

#include <string.h>

#include "edgec_conv_2d_int8_dsp_block.h"
#include "edgec_requant_dsp.h"

#define EDGEC_BLOCK 4 /* output channels */
#define EDGEC_STREAM 12 /* words per block of the channel stream */

typedef edgec_conv_2d_int8_dsp_blocks edgec_blocks;

/* Make the blocks of `work` from the stream of weights; returns what follows them there. */
typedef const int32_t *edgec_run(const edgec_blocks *work, const int32_t *weights);

#if defined(__ARM_FEATURE_DSP)

/* r0 lanes, r1 weights; sums of channels 0..3: r2 r4 r6 r8 of pixel a, r3 r5 r7 r9 of pixel b.
 * r4 r5 r8 r9 sum both channels of their weight word until the loop is over. */
#define EDGEC_PAIR \
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

#define EDGEC_SPLIT(both, low) \
    "sub " both ", " both ", " low "\n\t" \
    "asr " both ", " both ", #8\n\t"

#define EDGEC_FINISH(acc, scale, finish) \
    "smmlar " acc ", " acc ", " scale ", " acc "\n\t" \
    "add " acc ", " acc ", " acc ", asr #31\n\t" \
    "add " acc ", " acc ", " finish ", asr #8\n\t" \
    "asr " acc ", " acc ", " finish "\n\t" \
    "ssat " acc ", #8, " acc "\n\t"

#define EDGEC_FINISH_FOUR(low_a, low_b, high_a, high_b) \
    "ldm r0!, {r10, r11, r12, lr}\n\t" EDGEC_SPLIT(high_a, low_a) EDGEC_SPLIT(high_b, low_b) \
        EDGEC_FINISH(low_a, "r10", "r11") EDGEC_FINISH(low_b, "r10", "r11") \
            EDGEC_FINISH(high_a, "r12", "lr") EDGEC_FINISH(high_b, "r12", "lr")

#define EDGEC_JOIN(out, second, third, fourth) \
    "bfi " out ", " second ", #8, #8\n\t" \
    "bfi " out ", " third ", #16, #8\n\t" \
    "bfi " out ", " fourth ", #24, #8\n\t"

#define EDGEC_CLAMP(out) \
    "ssub8 r4, " out ", r10\n\t" \
    "sel " out ", " out ", r10\n\t" \
    "ssub8 r4, r11, " out "\n\t" \
    "sel " out ", " out ", r11\n\t"

/* The first ten words of the frame in r0 go to the stack. Then, for each block: the sums begin, r0
 * is `lanes` and r12 `lanes_long`. The sums may use r10, r11, r12 and lr, and change [sp, #4]. */
#define EDGEC_BEGIN \
    "ldm r0, {r2-r11}\n\t" \
    "push {r2-r11}\n\t" \
    "mov r0, r7\n" \
    "1:\n\t" \
    "ldm r0!, {r2, r4, r6, r8}\n\t" \
    "str r0, [sp, #20]\n\t" \
    "ldrd r0, r12, [sp]\n\t" \
    "mov r3, r2\n\t" \
    "mov r5, r4\n\t" \
    "mov r7, r6\n\t" \
    "mov r9, r8\n\t"

#define EDGEC_END \
    "4:\n\t" \
    "ldr r0, [sp, #20]\n\t" EDGEC_FINISH_FOUR("r2", "r3", "r4", "r5") \
        EDGEC_FINISH_FOUR("r6", "r7", "r8", "r9") EDGEC_JOIN("r2", "r4", "r6", "r8") EDGEC_JOIN( \
            "r3", "r5", "r7", "r9") "ldr r4, [sp, #28]\n\t" \
                                    "cbz r4, 5f\n\t" \
                                    "ldrd r10, r11, [sp, #32]\n\t" EDGEC_CLAMP("r2") \
                                        EDGEC_CLAMP("r3") "5:\n\t" \
                                                          "ldrd r10, r11, [sp, #12]\n\t" \
                                                          "str r3, [r11], #4\n\t" \
                                                          "str r2, [r10], #4\n\t" \
                                                          "strd r10, r11, [sp, #12]\n\t" \
                                                          "ldr r12, [sp, #24]\n\t" \
                                                          "cmp r0, r12\n\t" \
                                                          "bne 1b\n\t" \
                                                          "add sp, sp, #40"

#define EDGEC_CLOBBERS \
    "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory"

#else

/* One pixel's sums of a block; `lanes` are the pixel's, every other word. Returns the weights behind
 * the block. */
typedef const int32_t *edgec_sum(const edgec_blocks *work, const uint32_t *lanes,
                                 const int32_t *weights, uint32_t acc[]);

/* acc + both products of two pairs of int16, modulo 2^32. */
static inline uint32_t edgec_smlad(uint32_t x, uint32_t y, uint32_t acc)
{
    const int32_t low = (int16_t)(x & 0xffffu) * (int16_t)(y & 0xffffu);
    const int32_t high = (int16_t)(x >> 16) * (int16_t)(y >> 16);
    return acc + (uint32_t)low + (uint32_t)high;
}

static inline uint32_t edgec_sxtb16(uint32_t x)
{
    return (uint32_t)(uint16_t)(int8_t)(x & 0xffu) | (uint32_t)(uint16_t)(int8_t)(x >> 16 & 0xffu)
                                                         << 16;
}

static inline void edgec_finish_block(const edgec_blocks *work, const int32_t *channels,
                                      const uint32_t acc[], int8_t *out)
{
    const int32_t low = (int8_t)(work->out_min & 0xffu);
    const int32_t high = (int8_t)(work->out_max & 0xffu);
    for (int32_t i = 0; i < EDGEC_BLOCK; ++i) {
        const int32_t x = i % 2 ? (int32_t)(acc[i] - acc[i - 1]) >> 8 : (int32_t)acc[i];
        const int32_t v = edgec_finish_double(x, channels[4 + 2 * i], channels[5 + 2 * i]);
        out[i] = (int8_t)(v < low ? low : v > high ? high : v);
    }
}

static inline const int32_t *edgec_run_blocks(const edgec_blocks *work, const int32_t *weights,
                                              edgec_sum *sum)
{
    int8_t *out_a = work->out_a;
    int8_t *out_b = work->out_b;
    const int32_t *c = work->channels;
    for (; c != work->channels_end; c += EDGEC_STREAM, out_a += EDGEC_BLOCK, out_b += EDGEC_BLOCK) {
        const int32_t *end = weights;
        for (int32_t pixel = 1; pixel >= 0; --pixel) {
            uint32_t acc[EDGEC_BLOCK];
            memcpy(acc, c, sizeof acc);
            end = sum(work, work->lanes + pixel, weights, acc);
            edgec_finish_block(work, c, acc, pixel ? out_b : out_a);
        }
        weights = end;
    }
    return weights;
}

#endif

/* All channels of one pixel or two; those of a last block that is not whole by way of a copy. */
static inline void edgec_run_pixels(edgec_blocks *work, int8_t *out, int32_t pixels, edgec_run *run)
{
    const int32_t rest = work->out_ch % EDGEC_BLOCK;
    const int32_t stride = pixels == 2 ? work->out_stride : 0;
    const int32_t *weights = work->weights;
    work->out_a = out;
    work->out_b = out + stride;
    if (work->channels != work->channels_end) {
        weights = run(work, weights);
    }
    if (rest > 0) {
        const int32_t whole = work->out_ch - rest;
        int8_t last[2 * EDGEC_BLOCK];
        edgec_blocks tail = *work;
        tail.out_a = last;
        tail.out_b = last + EDGEC_BLOCK;
        tail.channels = work->channels_end;
        tail.channels_end = tail.channels + EDGEC_STREAM;
        run(&tail, weights);
        for (int32_t i = 0; i < rest; ++i) {
            out[stride + whole + i] = last[EDGEC_BLOCK + i];
            out[whole + i] = last[i];
        }
    }
}

#endif
