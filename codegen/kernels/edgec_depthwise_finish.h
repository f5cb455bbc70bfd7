/* How the depthwise planes rescale: with the nudge merged into the product where the sign of the
 * sum does not matter because negative results are cut off. Define EDGEC_CUT_NEGATIVE before. */
#ifndef EDGEC_DEPTHWISE_FINISH_H
#define EDGEC_DEPTHWISE_FINISH_H

#include "edgec_depthwise_pairs.h"

#if defined(__ARM_FEATURE_DSP)

/* Multiplier in r0, nudge in r1. */
#if defined(EDGEC_CUT_NEGATIVE)
#define EDGEC_RESCALE(acc) "smmlar " acc ", " acc ", r0, r1\n\t"
#else
#define EDGEC_RESCALE(acc) \
    "smmulr " acc ", " acc ", r0\n\t" \
    "add " acc ", " acc ", " acc ", asr #31\n\t" \
    "add " acc ", " acc ", r1\n\t"
#endif

/* Shift in r0. */
#define EDGEC_NARROW(acc) \
    "asr " acc ", " acc ", r0\n\t" \
    "ssat " acc ", #8, " acc "\n\t"

/* Keep the plane's first 14 words on the stack; load pairs and weights, and the second row. */
#define EDGEC_PLANE_BEGIN \
    ".syntax unified\n\t" \
    "push {r4-r11, lr}\n\t" \
    "ldm r0!, {r1-r7}\n\t" \
    "push {r1-r7}\n\t" \
    "ldm r0!, {r1-r7}\n\t" \
    "push {r1-r7}\n\t" \
    "ldm r0, {r2, r8-r12, lr}\n\t" \
    "ldr r3, [sp, #40]\n\t" \
    "add r3, r3, r2\n\t"

#define EDGEC_PLANE_END \
    "add sp, sp, #56\n\t" \
    "pop {r4-r11, pc}\n\t"

#else

static int32_t low_half(uint32_t v)
{
    return (int16_t)(uint16_t)(v & 0xffffu);
}

static int32_t high_half(uint32_t v)
{
    return (int16_t)(uint16_t)(v >> 16);
}

/* Row of a step: 0 has its three inputs in above and the low half of the second row of pairs. */
static int32_t taps(const edgec_depthwise_plane *p, const uint32_t *pairs, int32_t row)
{
    const uint32_t *second = pairs + p->pitch / 4;
    int32_t acc = p->bias;
    for (int32_t c = 0; c < 3; ++c) {
        const int32_t y0 = low_half(pairs[c]);
        const int32_t y1 = high_half(pairs[c]);
        const int32_t y2 = low_half(second[c]);
        const int32_t y3 = high_half(second[c]);
        const int32_t w0 = low_half(p->above[c]);
        const int32_t w1 = low_half(p->below[c]);
        const int32_t w2 = high_half(p->below[c]);
        acc += row ? y1 * w0 + y2 * w1 + y3 * w2 : y0 * w0 + y1 * w1 + y2 * w2;
    }
    return acc;
}

static int8_t finish(const edgec_depthwise_plane *p, int32_t acc)
{
    int32_t v = (int32_t)(((int64_t)acc * p->multiplier + ((int64_t)1 << 31)) >> 32);
#if !defined(EDGEC_CUT_NEGATIVE)
    v += v >> 31;
#endif
    return (int8_t)edgec_clamp((v + p->nudge) >> p->shift, INT8_MIN, INT8_MAX);
}

#endif

#endif
