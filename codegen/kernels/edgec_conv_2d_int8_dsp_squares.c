/* edgec: hot */
#include "edgec_conv_2d_int8_dsp_squares.h"

#include "edgec_conv_2d_int8_dsp_run.h"

#if defined(__ARM_FEATURE_DSP)

static const int32_t *run(const edgec_blocks *work, const int32_t *weights)
{
    register const edgec_blocks *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    /* clang-format off */
    __asm__ volatile(
        EDGEC_BEGIN
        "ldr r12, [r1], #4\n\t"
        "lsrs lr, r12, #1\n\t" /* carry: one square by itself */
        "add r12, r1, lr, lsl #1\n\t"
        "str r12, [sp, #4]\n\t"
        "bcc 2f\n\t"
        "ldr r12, [r1], #4\n\t"
        "add r0, r0, r12\n\t"
        EDGEC_PAIR EDGEC_PAIR
        "2:\n\t"
        "ldr r12, [sp, #4]\n\t"
        "cmp r1, r12\n\t"
        "beq 4f\n"
        "3:\n\t"
        "ldr r12, [r1], #4\n\t"
        "uxtah r0, r0, r12\n\t"
        EDGEC_PAIR EDGEC_PAIR
        "ldrh r12, [r1, #-18]\n\t" /* of the word before the first square */
        "add r0, r0, r12\n\t"
        EDGEC_PAIR EDGEC_PAIR
        "ldr r12, [sp, #4]\n\t"
        "cmp r1, r12\n\t"
        "bne 3b\n"
        EDGEC_END
        : "+r"(r0), "+r"(r1)
        :
        : EDGEC_CLOBBERS);
    /* clang-format on */
    return r1;
}

#else

/* Add one square; returns the weights behind it. */
static const int32_t *add_square(const uint32_t *lanes, const int32_t *weights, uint32_t acc[])
{
    for (int32_t pair = 0; pair < 2; ++pair, lanes += 2) {
        for (int32_t w = 0; w < 2; ++w, ++weights) {
            acc[2 * w] = edgec_smlad(edgec_sxtb16((uint32_t)*weights), *lanes, acc[2 * w]);
            acc[2 * w + 1] = edgec_smlad((uint32_t)*weights, *lanes, acc[2 * w + 1]);
        }
    }
    return weights;
}

static const int32_t *sum(const edgec_blocks *work, const uint32_t *lanes, const int32_t *weights,
                          uint32_t acc[])
{
    const int32_t head = *weights++;
    const int32_t *end = weights + head / 4;
    (void)work;
    if (head & 1) {
        lanes += *weights++ / 4;
        weights = add_square(lanes, weights, acc);
        lanes += 4;
    }
    while (weights != end) {
        const uint32_t skip = (uint32_t)*weights++;
        lanes += (skip & 0xffffu) / 4;
        weights = add_square(lanes, weights, acc);
        lanes += 4 + (skip >> 16) / 4;
        weights = add_square(lanes, weights, acc);
        lanes += 4;
    }
    return end;
}

static const int32_t *run(const edgec_blocks *work, const int32_t *weights)
{
    return edgec_run_blocks(work, weights, sum);
}

#endif

static void pixels_of_squares(edgec_blocks *work, int8_t *out, int32_t pixels)
{
    edgec_run_pixels(work, out, pixels, run);
}

void edgec_conv_2d_int8_dsp_squares(const edgec_conv_2d_int8_dsp_squares_params *p,
                                    const int8_t *in, int8_t *out, void *scratch)
{
    edgec_conv_2d_int8_dsp_windows(p, in, out, p->out_ch, pixels_of_squares, scratch);
}
