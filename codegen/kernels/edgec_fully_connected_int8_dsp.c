/* edgec: hot */
#include "edgec_fully_connected_int8_dsp.h"

#include <string.h>

#include "edgec_fully_connected_int8_dsp_finish.h"

#define BLOCK 8 /* rows */

/* What the sums of one block need; the assembly knows the order. */
typedef struct {
    const int8_t *in;
    const int8_t *in_long; /* where the unrolled loop ends: 16 products a turn */
    const int8_t *in_end;  /* a multiple of 4 bytes from in */
    const int32_t *starts;
    int32_t *sums; /* the odd ones are of two rows: 256 * odd + even */
} frame;

#if defined(__ARM_FEATURE_DSP)

/* r1 weights, r2 .. r9 the sums. */
#define HALF(x, low0, both0, low1, both1) \
    "ldrd r12, lr, [r1], #8\n\t" \
    "smlad " both0 ", r12, " x ", " both0 "\n\t" \
    "sxtb16 r12, r12\n\t" \
    "smlad " both1 ", lr, " x ", " both1 "\n\t" \
    "sxtb16 lr, lr\n\t" \
    "smlad " low0 ", r12, " x ", " low0 "\n\t" \
    "smlad " low1 ", lr, " x ", " low1 "\n\t"

#define QUAD \
    "ldr r11, [r0], #4\n\t" \
    "sxtb16 r10, r11\n\t" \
    "sxtb16 r11, r11, ror #8\n\t" HALF("r10", "r2", "r3", "r4", "r5") \
        HALF("r10", "r6", "r7", "r8", "r9") HALF("r11", "r2", "r3", "r4", "r5") \
            HALF("r11", "r6", "r7", "r8", "r9")

#if defined(__OPTIMIZE_SIZE__)
#define LONG_LOOP
#else
#define LONG_LOOP \
    "cmp r0, r12\n\t" \
    "beq 2f\n" \
    "1:\n\t" QUAD QUAD QUAD QUAD "ldr r12, [sp]\n\t" \
    "cmp r0, r12\n\t" \
    "bne 1b\n" \
    "2:\n\t"
#endif

/* Sum up one block; returns the weights behind it. */
static const int32_t *sum(const frame *work, const int32_t *weights)
{
    register const frame *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    /* clang-format off */
    __asm__ volatile(
        "ldm r0, {r2-r6}\n\t"
        "push {r3-r6}\n\t"
        "mov r0, r2\n\t"
        "mov r12, r3\n\t"
        "ldm r5, {r2-r9}\n\t"
        LONG_LOOP
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "beq 4f\n"
        "3:\n\t"
        QUAD
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "bne 3b\n"
        "4:\n\t"
        "ldr r12, [sp, #12]\n\t"
        "stm r12, {r2-r9}\n\t"
        "add sp, sp, #16"
        : "+r"(r0), "+r"(r1)
        :
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
          "memory");
    /* clang-format on */
    return r1;
}

#else

static uint32_t sum_pairs(uint32_t low, uint32_t high, int8_t x, int8_t y)
{
    return (uint32_t)((int16_t)low * x) + (uint32_t)((int16_t)high * y);
}

static const int32_t *sum(const frame *work, const int32_t *weights)
{
    uint32_t acc[BLOCK];
    memcpy(acc, work->starts, sizeof acc);
    for (const int8_t *x = work->in; x != work->in_end; x += 4) {
        for (int32_t k = 0; k < 2; ++k) {
            for (int32_t i = 0; i < BLOCK; i += 2) {
                const uint32_t w = (uint32_t)*weights++;
                const uint32_t low = w & 0xffffu;
                const uint32_t high = w >> 16;
                acc[i] += (uint32_t)((int8_t)low * x[k]) + (uint32_t)((int8_t)high * x[k + 2]);
                acc[i + 1] += sum_pairs(low, high, x[k], x[k + 2]);
            }
        }
    }
    memcpy(work->sums, acc, sizeof acc);
    return weights;
}

#endif

void edgec_fully_connected_int8_dsp(const edgec_fully_connected_int8_dsp_params *p,
                                    const int8_t *in, int8_t *out)
{
    const int32_t rest = p->in_size % 4;
    int32_t sums[BLOCK];
    int8_t last[4] = {0};
    const frame tail = {last, last, last + 4, sums, sums};
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size, out += p->out_size) {
        const int32_t *weights = p->weights;
        const int32_t *scales = p->scales;
        frame work = {in, in + (p->in_size & ~15), in + (p->in_size & ~3), p->starts, sums};
        memcpy(last, work.in_end, (size_t)rest);
        for (int32_t r = 0; r < p->out_size; r += BLOCK, work.starts += BLOCK) {
            const int32_t n = p->out_size - r < BLOCK ? p->out_size - r : BLOCK;
            weights = sum(&work, weights);
            if (rest > 0) {
                weights = sum(&tail, weights);
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
