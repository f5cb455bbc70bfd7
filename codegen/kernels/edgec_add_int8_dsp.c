/* edgec: hot */
#include "edgec_add_int8_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */
/* One element. r1 r2: inputs; r3: output; r4-r11: factor, offset, nudge1, multiplier1, shift1,
 * nudge, multiplier, shift. Rounding halves away from zero takes one off what is negative. */
#define ELEMENT                                                                                    \
    "ldrsb r0, [r1], #1\n\t"                                                                       \
    "ldrsb r12, [r2], #1\n\t"                                                                      \
    "mla r0, r0, r4, r5\n\t"                                                                       \
    "add lr, r6, r0, asr #31\n\t"                                                                  \
    "smmlar r0, r0, r7, lr\n\t"                                                                    \
    "asr r0, r0, r8\n\t"                                                                           \
    "add r0, r0, r12, lsl #19\n\t"                                                                 \
    "lsl r0, r0, #1\n\t"                                                                           \
    "add lr, r9, r0, asr #31\n\t"                                                                  \
    "smmlar r0, r0, r10, lr\n\t"                                                                   \
    "asr r0, r0, r11\n\t"                                                                          \
    "ssat r0, #8, r0\n\t"                                                                          \
    "strb r0, [r3], #1\n\t"

__attribute__((naked, noinline)) static void
sum(const edgec_add_int8_dsp_params *p __attribute__((unused)),
    const int8_t *in1 __attribute__((unused)), const int8_t *in2 __attribute__((unused)),
    int8_t *out __attribute__((unused)))
{
    __asm__ volatile(
        ".syntax unified\n\t"
        "push {r3-r11, lr}\n\t"
        "ldr r12, [r0, #32]\n\t"
        "ldm r0, {r4-r11}\n\t"
        "add lr, r3, r12\n\t"
        "str lr, [sp]\n\t"
        "tst r12, #1\n\t"
        "beq 1f\n\t"
        ELEMENT
        "1: ldr r0, [sp]\n\t"
        "cmp r3, r0\n\t"
        "beq 3f\n\t"
        "2:\n\t"
        ELEMENT
        ELEMENT
        "ldr r0, [sp]\n\t"
        "cmp r3, r0\n\t"
        "bne 2b\n\t"
        "3: pop {r3-r11, pc}\n\t");
}
/* clang-format on */

#else

#include "edgec_requant.h"

/* (x * multiplier) / 2^32 rounded, then half away from zero to the shift. */
static int32_t rescale(int32_t x, int32_t multiplier, int32_t nudge, int32_t shift)
{
    const int32_t v = (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << 31)) >> 32);
    return (v + nudge + (x >> 31)) >> shift;
}

static void sum(const edgec_add_int8_dsp_params *p, const int8_t *in1, const int8_t *in2,
                int8_t *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        int32_t v = in1[i] * p->factor + p->offset;
        v = rescale(v, p->multiplier1, p->nudge1, p->shift1) + in2[i] * (1 << 19);
        v = rescale(v * 2, p->multiplier, p->nudge, p->shift);
        out[i] = (int8_t)edgec_clamp(v, INT8_MIN, INT8_MAX);
    }
}

#endif

void edgec_add_int8_dsp(const edgec_add_int8_dsp_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out)
{
    sum(p, in1, in2, out);
}
