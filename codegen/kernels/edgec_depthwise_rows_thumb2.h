/* Rows of 3x3 depthwise outputs on cores with 32-bit Thumb instructions, but no SIMD: written out,
 * because a compiler keeps none of the nine weights in a register there. Clang is a register short. */
#ifndef EDGEC_DEPTHWISE_ROWS_THUMB2_H
#define EDGEC_DEPTHWISE_ROWS_THUMB2_H

#include <stdint.h>

#if defined(__thumb2__) && !defined(__ARM_FEATURE_DSP) && !defined(__clang__)
#define EDGEC_DEPTHWISE_ROWS_THUMB2

/* What the loop keeps in memory; inner structures are loaded at once. */
typedef struct {
    int32_t weights[9];
    int32_t bias;
    int32_t scale; /* twice the multiplier less 2^32 */
    struct {
        int32_t nudge, shift;
    } finish;
    struct {
        int8_t *at;
        int32_t distance;
    } out;
    int8_t *end;
    struct {
        int32_t pitch, stride;
    } step;
} edgec_depthwise_rows;

#define EDGEC_TAP(row, at, weight) \
    "ldrb %[x], [%[" row "]" at "]\n\t" \
    "mla %[v], %[x], %[" weight "], %[v]\n\t"

/* `rows` rows of `width` outputs; `a2` is the third row of the first window, `skip` takes it from one
 * row of outputs to the next. Once the products are made, the addresses of the upper rows make room
 * for the rescaling. */
static inline void edgec_depthwise_rows_thumb2(edgec_depthwise_rows s, const uint8_t *third,
                                               int32_t rows, int32_t skip, int32_t width)
{
    for (; rows > 0; --rows, third += skip) {
        const uint8_t *a2 = third;
        const uint8_t *a1 = a2 - s.step.pitch;
        const uint8_t *a0 = a1 - s.step.pitch;
        int32_t v;
        int32_t x;
        s.end = s.out.at + width * s.out.distance;
        /* clang-format off */
        __asm__ volatile(
            "1:\n\t"
            "ldr %[v], %[bias]\n\t"
            EDGEC_TAP("a0", "", "w0") EDGEC_TAP("a0", ", #1", "w1") EDGEC_TAP("a0", ", #2", "w2")
            EDGEC_TAP("a1", "", "w3") EDGEC_TAP("a1", ", #1", "w4") EDGEC_TAP("a1", ", #2", "w5")
            EDGEC_TAP("a2", "", "w6") EDGEC_TAP("a2", ", #1", "w7")
            "ldr %[a0], %[w8]\n\t"
            EDGEC_TAP("a2", ", #2", "a0")
            "mov %[x], #0x80000000\n\t"
            "mov %[a1], %[v]\n\t"
            "ldr %[a0], %[scale]\n\t"
            "smlal %[x], %[a1], %[v], %[a0]\n\t"
            "ldrd %[v], %[x], %[finish]\n\t"
            "add %[a1], %[a1], %[a1], asr #31\n\t"
            "add %[a1], %[a1], %[v]\n\t"
            "asr %[a1], %[a1], %[x]\n\t"
            "ldrd %[x], %[v], %[out]\n\t"
            "ssat %[a1], #8, %[a1]\n\t"
            "strb %[a1], [%[x]]\n\t"
            "add %[a0], %[x], %[v]\n\t"
            "ldrd %[x], %[v], %[step]\n\t"
            "str %[a0], %[out]\n\t"
            "add %[a2], %[a2], %[v]\n\t"
            "ldr %[v], %[end]\n\t"
            "sub %[a1], %[a2], %[x]\n\t"
            "cmp %[a0], %[v]\n\t"
            "sub %[a0], %[a1], %[x]\n\t"
            "bne 1b\n\t"
            : [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [v] "=&r"(v), [x] "=&r"(x),
              [out] "+m"(s.out)
            : [w0] "r"(s.weights[0]), [w1] "r"(s.weights[1]), [w2] "r"(s.weights[2]),
              [w3] "r"(s.weights[3]), [w4] "r"(s.weights[4]), [w5] "r"(s.weights[5]),
              [w6] "r"(s.weights[6]), [w7] "r"(s.weights[7]), [w8] "m"(s.weights[8]),
              [bias] "m"(s.bias), [scale] "m"(s.scale), [finish] "m"(s.finish), [end] "m"(s.end),
              [step] "m"(s.step)
            : "cc", "memory");
        /* clang-format on */
    }
}

#endif

#endif
