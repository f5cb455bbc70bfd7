/* edgec: hot */
#include "edgec_conv_2d_int8_dsp_block.h"

#include "edgec_conv_2d_int8_dsp_run.h"

#if defined(__ARM_FEATURE_DSP)

#if defined(__OPTIMIZE_SIZE__)
#define LONG_LOOP "\n"
#else
#define LONG_LOOP \
    "cmp r0, r12\n\t" \
    "beq 3f\n" \
    "2:\n\t" EDGEC_PAIR EDGEC_PAIR EDGEC_PAIR EDGEC_PAIR EDGEC_PAIR EDGEC_PAIR \
        EDGEC_PAIR EDGEC_PAIR "ldrd r12, lr, [sp, #4]\n\t" \
    "cmp r0, r12\n\t" \
    "bne 2b\n\t" \
    "cmp r0, lr\n\t" \
    "beq 4f\n"
#endif

static const int32_t *run(const edgec_blocks *work, const int32_t *weights)
{
    register const edgec_blocks *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    /* clang-format off */
    __asm__ volatile(
        EDGEC_BEGIN
        LONG_LOOP
        "3:\n\t"
        EDGEC_PAIR EDGEC_PAIR
        "ldr r12, [sp, #8]\n\t"
        "cmp r0, r12\n\t"
        "bne 3b\n"
        EDGEC_END
        : "+r"(r0), "+r"(r1)
        :
        : EDGEC_CLOBBERS);
    /* clang-format on */
    return r1;
}

#else

static const int32_t *sum(const edgec_blocks *work, const uint32_t *lanes, const int32_t *weights,
                          uint32_t acc[])
{
    const int32_t pairs = (int32_t)((work->lanes_end - work->lanes) / 2);
    for (int32_t i = 0; i < pairs; ++i, lanes += 2, weights += 2) {
        for (int32_t w = 0; w < 2; ++w) {
            acc[2 * w] = edgec_smlad(edgec_sxtb16((uint32_t)weights[w]), *lanes, acc[2 * w]);
            acc[2 * w + 1] = edgec_smlad((uint32_t)weights[w], *lanes, acc[2 * w + 1]);
        }
    }
    return weights;
}

static const int32_t *run(const edgec_blocks *work, const int32_t *weights)
{
    return edgec_run_blocks(work, weights, sum);
}

#endif

void edgec_conv_2d_int8_dsp_pixels(edgec_conv_2d_int8_dsp_blocks *work, int8_t *out, int32_t pixels)
{
    edgec_run_pixels(work, out, pixels, run);
}
