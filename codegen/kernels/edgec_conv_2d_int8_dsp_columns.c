/* edgec: hot */
#include "edgec_conv_2d_int8_dsp_columns.h"

#include "edgec_conv_2d_int8_dsp_run.h"

#define SEGMENT 256 /* products */

#if defined(__ARM_FEATURE_DSP)

/* Two products of both pixels: their numbers are at bytes i and j of r1, their weights at w. */
#define TWO(i, j, w) \
    "ldrb r11, [r1, #" #i "]\n\t" \
    "ldrb r12, [r1, #" #j "]\n\t" \
    "ldr r11, [r0, r11, lsl #2]\n\t" \
    "ldr r12, [r0, r12, lsl #2]\n\t" \
    "pkhtb lr, r12, r11, asr #16\n\t" \
    "pkhbt r11, r11, r12, lsl #16\n\t" \
    "ldrd r10, r12, [r1, #" #w "]\n\t" \
    "smlad r4, r10, r11, r4\n\t" \
    "smlad r5, r10, lr, r5\n\t" \
    "sxtb16 r10, r10\n\t" \
    "smlad r8, r12, r11, r8\n\t" \
    "smlad r9, r12, lr, r9\n\t" \
    "sxtb16 r12, r12\n\t" \
    "smlad r2, r10, r11, r2\n\t" \
    "smlad r3, r10, lr, r3\n\t" \
    "smlad r6, r12, r11, r6\n\t" \
    "smlad r7, r12, lr, r7\n\t"

static const int32_t *run(const edgec_blocks *work, const int32_t *weights)
{
    register const edgec_blocks *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    /* clang-format off */
    __asm__ volatile(
        EDGEC_BEGIN
        "2:\n\t" /* a segment */
        "ldr r12, [r1], #4\n\t"
        "lsrs lr, r12, #1\n\t" /* carry: one pair by itself */
        "add r12, r1, lr, lsl #1\n\t"
        "str r12, [sp, #4]\n\t"
        "bcc 3f\n\t"
        TWO(0, 1, 4)
        "adds r1, r1, #12\n"
        "3:\n\t"
        "ldr r12, [sp, #4]\n\t"
        "cmp r1, r12\n\t"
        "beq 7f\n"
        "6:\n\t"
        TWO(0, 1, 4)
        TWO(2, 3, 12)
        "adds r1, r1, #20\n\t"
        "ldr r12, [sp, #4]\n\t"
        "cmp r1, r12\n\t"
        "bne 6b\n"
        "7:\n\t"
        "add r0, r0, #1024\n\t"
        "ldr r12, [sp, #8]\n\t"
        "cmp r0, r12\n\t"
        "blo 2b\n"
        EDGEC_END
        : "+r"(r0), "+r"(r1)
        :
        : EDGEC_CLOBBERS);
    /* clang-format on */
    return r1;
}

/* Turn {a0 a2, b0 b2, a1 a3, b1 b3} into {a0 b0, a1 b1, a2 b2, a3 b3}. */
static void pair_pixels(uint32_t *lanes, const uint32_t *end)
{
    register uint32_t *r0 __asm__("r0") = lanes;
    __asm__ volatile("1:\n\t"
                     "ldm r0, {r2, r3, r4, r5}\n\t"
                     "pkhbt r6, r2, r3, lsl #16\n\t"
                     "pkhbt r8, r4, r5, lsl #16\n\t"
                     "pkhtb r12, r3, r2, asr #16\n\t"
                     "pkhtb lr, r5, r4, asr #16\n\t"
                     "stm r0!, {r6, r8, r12, lr}\n\t"
                     "cmp r0, %1\n\t"
                     "bne 1b"
                     : "+r"(r0)
                     : "r"(end)
                     : "r2", "r3", "r4", "r5", "r6", "r8", "r12", "lr", "cc", "memory");
}

#else

static void pair_pixels(uint32_t *lanes, const uint32_t *end)
{
    for (; lanes != end; lanes += 4) {
        const uint32_t a02 = lanes[0];
        const uint32_t b02 = lanes[1];
        const uint32_t a13 = lanes[2];
        const uint32_t b13 = lanes[3];
        lanes[0] = (a02 & 0xffffu) | b02 << 16;
        lanes[1] = (a13 & 0xffffu) | b13 << 16;
        lanes[2] = a02 >> 16 | (b02 & 0xffff0000u);
        lanes[3] = a13 >> 16 | (b13 & 0xffff0000u);
    }
}

/* Add two products; `shift` says which pixel's. */
static void add_two(const uint32_t *lanes, uint32_t numbers, int32_t shift, const int32_t *weights,
                    uint32_t acc[])
{
    const uint32_t first = lanes[numbers & 255u] >> shift & 0xffffu;
    const uint32_t x = first | (lanes[numbers >> 8 & 255u] >> shift & 0xffffu) << 16;
    for (int32_t w = 0; w < 2; ++w) {
        acc[2 * w] = edgec_smlad(edgec_sxtb16((uint32_t)weights[w]), x, acc[2 * w]);
        acc[2 * w + 1] = edgec_smlad((uint32_t)weights[w], x, acc[2 * w + 1]);
    }
}

static const int32_t *sum(const edgec_blocks *work, const uint32_t *lanes, const int32_t *weights,
                          uint32_t acc[])
{
    const int32_t shift = lanes == work->lanes ? 0 : 16;
    for (lanes = work->lanes; lanes < work->lanes_end; lanes += SEGMENT) {
        const int32_t head = *weights++;
        const int32_t *end = weights + head / 4;
        if (head & 1) {
            add_two(lanes, (uint32_t)weights[0], shift, weights + 1, acc);
            weights += 3;
        }
        for (; weights != end; weights += 5) {
            add_two(lanes, (uint32_t)weights[0], shift, weights + 1, acc);
            add_two(lanes, (uint32_t)weights[0] >> 16, shift, weights + 3, acc);
        }
        if (work->lanes_end - lanes < SEGMENT) {
            break;
        }
    }
    return weights;
}

static const int32_t *run(const edgec_blocks *work, const int32_t *weights)
{
    return edgec_run_blocks(work, weights, sum);
}

#endif

static void pixels_of_columns(edgec_blocks *work, int8_t *out, int32_t pixels)
{
    /* the windows are written anew before every call */
    pair_pixels((uint32_t *)(uintptr_t)work->lanes, work->lanes_end);
    edgec_run_pixels(work, out, pixels, run);
}

void edgec_conv_2d_int8_dsp_columns(const edgec_conv_2d_int8_dsp_columns_params *p,
                                    const int8_t *in, int8_t *out, void *scratch)
{
    edgec_conv_2d_int8_dsp_windows(p, in, out, p->out_ch, pixels_of_columns, scratch);
}
