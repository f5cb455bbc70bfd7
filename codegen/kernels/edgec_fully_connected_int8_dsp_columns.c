/* edgec: hot */
#include "edgec_fully_connected_int8_dsp_columns.h"

#include "edgec_fully_connected_int8_dsp_finish.h"

#define BLOCK 4 /* rows */
#define SEGMENT 256 /* products */

#if defined(__ARM_FEATURE_DSP)

/* Add two columns of weights in `both01` and `both23`; r12 has their inputs. */
#define TWO(both01, both23) \
    "smlad r3, " both01 ", r12, r3\n\t" \
    "sxtb16 " both01 ", " both01 "\n\t" \
    "smlad r5, " both23 ", r12, r5\n\t" \
    "sxtb16 " both23 ", " both23 "\n\t" \
    "smlad r2, " both01 ", r12, r2\n\t" \
    "smlad r4, " both23 ", r12, r4\n\t"

/* Add the columns of a segment, which are some. */
static void add_columns(const int8_t *in, const int32_t *weights, const int32_t *end, int32_t *sums)
{
    register const int8_t *r0 __asm__("r0") = in;
    register const int32_t *r1 __asm__("r1") = weights;
    register const int32_t *r11 __asm__("r11") = end;
    register int32_t *r12 __asm__("r12") = sums;
    /* clang-format off */
    __asm__ volatile(
        "ldm r12, {r2-r5}\n\t"
        "push {r12}\n"
        "1:\n\t"
        "ldm r1!, {r6-r10}\n\t"
        "uxtb r12, r6\n\t"
        "ldrsb r12, [r0, r12]\n\t"
        "uxtb lr, r6, ror #8\n\t"
        "ldrsb lr, [r0, lr]\n\t"
        "pkhbt r12, r12, lr, lsl #16\n\t"
        TWO("r7", "r8")
        "uxtb r12, r6, ror #16\n\t"
        "ldrsb r12, [r0, r12]\n\t"
        "lsr r6, r6, #24\n\t"
        "ldrsb r6, [r0, r6]\n\t"
        "pkhbt r12, r12, r6, lsl #16\n\t"
        TWO("r9", "r10")
        "cmp r1, r11\n\t"
        "bne 1b\n\t"
        "pop {r12}\n\t"
        "stm r12, {r2-r5}"
        : "+r"(r1), "+r"(r12)
        : "r"(r0), "r"(r11)
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "lr", "cc", "memory");
    /* clang-format on */
}

#else

static void add_columns(const int8_t *in, const int32_t *weights, const int32_t *end, int32_t *sums)
{
    for (; weights != end; weights += 5) {
        const uint32_t numbers = (uint32_t)weights[0];
        for (int32_t k = 0; k < 4; ++k) {
            const int32_t x = in[numbers >> 8 * k & 255u];
            for (int32_t i = 0; i < BLOCK; i += 2) {
                const uint32_t both = (uint32_t)weights[1 + k / 2 * 2 + i / 2] >> k % 2 * 16;
                sums[i] = (int32_t)((uint32_t)sums[i] + (uint32_t)((int8_t)(both & 0xffu) * x));
                sums[i + 1] =
                    (int32_t)((uint32_t)sums[i + 1] + (uint32_t)((int16_t)(both & 0xffffu) * x));
            }
        }
    }
}

#endif

void edgec_fully_connected_int8_dsp_columns(const edgec_fully_connected_int8_dsp_columns_params *p,
                                            const int8_t *in, int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size, out += p->out_size) {
        const int32_t *weights = p->weights;
        const int32_t *scales = p->scales;
        const int32_t *starts = p->starts;
        for (int32_t r = 0; r < p->out_size; r += BLOCK, starts += BLOCK) {
            const int32_t n = p->out_size - r < BLOCK ? p->out_size - r : BLOCK;
            int32_t sums[BLOCK];
            memcpy(sums, starts, sizeof sums);
            for (int32_t k = 0; k < p->in_size; k += SEGMENT) {
                const int32_t *end = weights + 1 + *weights / 4;
                if (weights + 1 != end) {
                    add_columns(in + k, weights + 1, end, sums);
                }
                weights = end;
            }
            if (p->single_rounding) {
                edgec_finish_rows(p, sums, scales, out + r, n, 1);
            } else {
                edgec_finish_rows(p, sums, scales, out + r, n, 0);
            }
            scales += p->per_row ? 2 * BLOCK : 0;
        }
    }
}
