/* edgec: hot */
#include "edgec_fully_connected_int16_dsp.h"

#include <string.h>

#include "edgec_requant.h"
#include "edgec_sum16_dsp.h"

#define BLOCK 8 /* rows */

/* What the sums of one block need; the assembly knows the order. */
typedef struct {
    const int16_t *in;
    const int16_t *in_long; /* where the unrolled loop ends: 8 products a turn */
    const int16_t *in_end;  /* a multiple of 2 products from in */
    const int32_t *starts;
    int32_t *sums;
} frame;

#if defined(__ARM_FEATURE_DSP)

/* r0 input, r1 weights, r2 .. r9 the sums. */
#define FOUR_ROWS(first, second, third, fourth) \
    "ldrd r11, r12, [r1], #8\n\t" \
    "sxtb16 lr, r11, ror #8\n\t" \
    "sxtb16 r11, r11\n\t" \
    "smlad " first ", r11, r10, " first "\n\t" \
    "smlad " second ", lr, r10, " second "\n\t" \
    "sxtb16 lr, r12, ror #8\n\t" \
    "sxtb16 r12, r12\n\t" \
    "smlad " third ", r12, r10, " third "\n\t" \
    "smlad " fourth ", lr, r10, " fourth "\n\t"

#define PAIR \
    "ldr r10, [r0], #4\n\t" FOUR_ROWS("r2", "r3", "r4", "r5") FOUR_ROWS("r6", "r7", "r8", "r9")

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
        "cmp r0, r12\n\t"
        "beq 2f\n"
        "1:\n\t"
        PAIR PAIR PAIR PAIR
        "ldr r12, [sp]\n\t"
        "cmp r0, r12\n\t"
        "bne 1b\n"
        "2:\n\t"
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "beq 4f\n"
        "3:\n\t"
        PAIR
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

static const int32_t *sum(const frame *work, const int32_t *weights)
{
    uint32_t acc[BLOCK];
    memcpy(acc, work->starts, sizeof acc);
    for (const int16_t *x = work->in; x != work->in_end; x += 2, weights += 4) {
        for (int32_t i = 0; i < BLOCK; ++i) {
            acc[i] = edgec_sum16_pair(acc[i], weights[i / 2], i % 2, x[0], x[1]);
        }
    }
    memcpy(work->sums, acc, sizeof acc);
    return weights;
}

#endif

/* The sum in units of the output, halves away from zero: the scale has 62 bits, which the sums
 * that a layer can have were proven to need no more than. */
static int32_t rescale(int32_t sum, int32_t high, int32_t low, int32_t shift)
{
    const int64_t product = (int64_t)sum * high + ((int64_t)sum * low >> 31) + (sum >> 31);
    return (((int32_t)(product >> 32) >> shift) + 1) >> 1;
}

void edgec_fully_connected_int16_dsp(const edgec_fully_connected_int16_dsp_params *p,
                                     const int16_t *in, int16_t *out)
{
    const int32_t rest = p->in_size % 2;
    int32_t sums[BLOCK];
    int16_t last[2] = {0};
    const frame tail = {last, last, last + 2, sums, sums};
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size) {
        const int32_t *weights = p->weights;
        frame work = {in, in + (p->in_size & ~7), in + (p->in_size & ~1), p->starts, sums};
        last[0] = in[p->in_size - 1];
        for (int32_t r = 0; r < p->out_size; work.starts += BLOCK) {
            const int32_t end = p->out_size - r < BLOCK ? p->out_size : r + BLOCK;
            weights = sum(&work, weights);
            if (rest > 0) {
                weights = sum(&tail, weights);
            }
            for (const int32_t *acc = sums; r < end; ++r, ++acc) {
                const int32_t v = p->low == NULL
                                      ? edgec_requant_short(*acc, p->high[r], p->shifts[r])
                                      : rescale(*acc, p->high[r], p->low[r], p->shifts[r]);
                *out++ = (int16_t)edgec_clamp(v, p->out_min, p->out_max);
            }
        }
    }
}
