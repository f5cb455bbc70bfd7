/* One channel at stride 2: a step makes one row, in blocks of two columns.
 *
 * r0 r1: pairs, then constants; r2 r3: both rows of pairs; r4 r5: outputs; r6: bytes between them;
 * r7: where they go; r8-r10: weights above, r11 r12 lr: weights below.
 * On the stack: 0 multiplier, 4 nudge, 8 shift, 24 bias, 28 end, 32 skip, 36 out_skip, 40 pitch,
 * 44 steps, 48 odd. */
#ifndef EDGEC_DEPTHWISE_STRIDE2_H
#define EDGEC_DEPTHWISE_STRIDE2_H

#include "edgec_depthwise_finish.h"

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */
__attribute__((naked, noinline)) static void
plane_stride2(const edgec_depthwise_plane *plane __attribute__((unused)))
{
    __asm__ volatile(
        EDGEC_PLANE_BEGIN
        "ldr r7, [sp, #12]\n\t"
        "ldr r6, [sp, #16]\n\t"
        "1: ldr r0, [sp, #28]\n\t"
        "cmp r2, r0\n\t"
        "beq 3f\n\t"
        "2: ldrd r0, r1, [r2], #8\n\t"
        "ldr r5, [sp, #24]\n\t"
        "smlad r4, r0, r8, r5\n\t"
        "smlad r4, r1, r9, r4\n\t"
        "ldrd r0, r1, [r2], #8\n\t"
        "smlad r4, r0, r10, r4\n\t"
        "smlad r5, r0, r8, r5\n\t"
        "smlad r5, r1, r9, r5\n\t"
        "ldr r0, [r2]\n\t"
        "smlad r5, r0, r10, r5\n\t"
        "ldrd r0, r1, [r3], #8\n\t"
        "smlabt r4, r0, r11, r4\n\t"
        "smlabt r4, r1, r12, r4\n\t"
        "ldrd r0, r1, [r3], #8\n\t"
        "smlabt r4, r0, lr, r4\n\t"
        "smlabt r5, r0, r11, r5\n\t"
        "smlabt r5, r1, r12, r5\n\t"
        "ldr r0, [r3]\n\t"
        "smlabt r5, r0, lr, r5\n\t"
        "ldrd r0, r1, [sp]\n\t"
        EDGEC_RESCALE("r4") EDGEC_RESCALE("r5")
        "ldr r0, [sp, #8]\n\t"
        EDGEC_NARROW("r4") EDGEC_NARROW("r5")
        "strb r4, [r7]\n\t"
        "strb r5, [r7, r6]\n\t"
        "add r7, r7, r6, lsl #1\n\t"
        "ldr r0, [sp, #28]\n\t"
        "cmp r2, r0\n\t"
        "bne 2b\n\t"
        "3: ldr r0, [sp, #48]\n\t"
        "cmp r0, #0\n\t"
        "beq 4f\n\t"
        "ldrd r0, r1, [r2]\n\t"
        "ldr r4, [sp, #24]\n\t"
        "smlad r4, r0, r8, r4\n\t"
        "smlad r4, r1, r9, r4\n\t"
        "ldr r0, [r2, #8]\n\t"
        "smlad r4, r0, r10, r4\n\t"
        "ldrd r0, r1, [r3]\n\t"
        "smlabt r4, r0, r11, r4\n\t"
        "smlabt r4, r1, r12, r4\n\t"
        "ldr r0, [r3, #8]\n\t"
        "smlabt r4, r0, lr, r4\n\t"
        "ldrd r0, r1, [sp]\n\t"
        EDGEC_RESCALE("r4")
        "ldr r0, [sp, #8]\n\t"
        EDGEC_NARROW("r4")
        "strb r4, [r7]\n\t"
        "4: ldr r0, [sp, #44]\n\t"
        "subs r0, r0, #1\n\t"
        "beq 5f\n\t"
        "str r0, [sp, #44]\n\t"
        "ldrd r0, r1, [sp, #28]\n\t"
        "add r2, r2, r1\n\t"
        "add r3, r3, r1\n\t"
        "ldr r1, [sp, #40]\n\t"
        "add r0, r0, r1\n\t"
        "str r0, [sp, #28]\n\t"
        "ldr r1, [sp, #36]\n\t"
        "add r7, r7, r1\n\t"
        "b 1b\n\t"
        "5:\n\t"
        EDGEC_PLANE_END);
}
/* clang-format on */

#else

static void plane_stride2(const edgec_depthwise_plane *p)
{
    const int32_t columns = (int32_t)(p->end - p->pairs) / 2 + p->odd;
    const int32_t width = p->out_skip + (columns - p->odd) * p->step;
    for (int32_t s = 0; s < p->steps; ++s) {
        const uint32_t *pairs = p->pairs + s * p->pitch / 4;
        int8_t *out = p->out + s * width;
        for (int32_t x = 0; x < columns; ++x, pairs += 2, out += p->step) {
            *out = finish(p, taps(p, pairs, 0));
        }
    }
}

#endif

#endif
