/* edgec: hot */
#include "edgec_mve_products.h"

#include "edgec_mve_bytes.h"
#include "edgec_requant.h"

#define SUMS 48 /* rows summed up before they are rescaled: a multiple of 3 and of 4 */

/* Whole blocks of three rows by two inputs; the assembly knows the order. */
typedef struct {
    const int8_t *a, *b;
    int32_t depth;
    const int8_t *weights;
    const int32_t *biases;
    int32_t *sums; /* of a; those of b are SUMS further on */
    int32_t *end;
    int32_t beyond; /* how far vectors reach over the end of a row */
} threes;

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)

/* Three rows by two inputs at a time: all that the even registers hold beside the loop counter.
 * r0, r2, r4 the sums of r1, r6, r8, r10 those of r3; r5, r7, r9 rows, r11 biases, r12 work. */
static void sum_threes(threes *work)
{
    register threes *r12 __asm__("r12") = work;
    __asm__ volatile("ldrd r5, r11, [r12, #12]\n"
                     "1:\n\t"
                     "ldrd r1, r3, [r12]\n\t"
                     "ldr lr, [r12, #8]\n\t"
                     "ldrd r0, r2, [r11], #8\n\t"
                     "ldr r4, [r11], #4\n\t"
                     "add r7, r5, lr\n\t"
                     "add r9, r7, lr\n\t"
                     "mov r6, r0\n\t"
                     "mov r8, r2\n\t"
                     "mov r10, r4\n\t"
                     "wlstp.8 lr, lr, 3f\n"
                     "2:\n\t"
                     "vldrb.8 q0, [r1], #16\n\t"
                     "vldrb.8 q2, [r5], #16\n\t"
                     "vmladava.s8 r0, q0, q2\n\t"
                     "vldrb.8 q1, [r3], #16\n\t"
                     "vmladava.s8 r6, q1, q2\n\t"
                     "vldrb.8 q3, [r7], #16\n\t"
                     "vmladava.s8 r2, q0, q3\n\t"
                     "vldrb.8 q2, [r9], #16\n\t"
                     "vmladava.s8 r8, q1, q3\n\t"
                     "vmladava.s8 r4, q0, q2\n\t"
                     "vmladava.s8 r10, q1, q2\n\t"
                     "letp lr, 2b\n"
                     "3:\n\t"
                     "ldrd r1, r3, [r12, #20]\n\t"
                     "ldr r5, [r12, #28]\n\t"
                     "strd r0, r2, [r1]\n\t"
                     "str r4, [r1, #8]\n\t"
                     "strd r6, r8, [r1, %[apart]]\n\t"
                     "str r10, [r1, %[apart] + 8]\n\t"
                     "add r1, r1, #12\n\t"
                     "str r1, [r12, #20]\n\t"
                     "sub r5, r9, r5\n\t"
                     "cmp r1, r3\n\t"
                     "bne 1b"
                     : "+r"(r12)
                     : [apart] "i"(4 * SUMS)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11",
                       "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

static void sum_single(const int8_t *a, const int8_t *b, const int8_t *w, int32_t n,
                       const int32_t *biases, int32_t *sums_a, int32_t *sums_b)
{
    int32_t a0 = biases[0], b0 = a0;
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[a]], #16\n\t"
                     "vldrb.8 q2, [%[w]], #16\n\t"
                     "vmladava.s8 %[a0], q0, q2\n\t"
                     "vldrb.8 q1, [%[b]], #16\n\t"
                     "vmladava.s8 %[b0], q1, q2\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [a] "+r"(a), [b] "+r"(b), [w] "+r"(w), [a0] "+Te"(a0), [b0] "+Te"(b0)
                     : [n] "r"(n)
                     : "q0", "q1", "q2", "lr", "memory");
    *sums_a = a0;
    *sums_b = b0;
}

static void sum_one(const int8_t *x, const int8_t *w, int32_t n, int32_t *sum)
{
    int32_t s = *sum;
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[x]], #16\n\t"
                     "vldrb.8 q1, [%[w]], #16\n\t"
                     "vmladava.s8 %[s], q0, q1\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [x] "+r"(x), [w] "+r"(w), [s] "+Te"(s)
                     : [n] "r"(n)
                     : "q0", "q1", "lr", "memory");
    *sum = s;
}

/* Four rows by one input. */
static void sum_four(const int8_t *x, const int8_t *w0, int32_t n, int32_t *sums)
{
    const int8_t *w1 = w0 + n;
    const int8_t *w2 = w1 + n;
    const int8_t *w3 = w2 + n;
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[x]], #16\n\t"
                     "vldrb.8 q1, [%[w0]], #16\n\t"
                     "vmladava.s8 %[s0], q0, q1\n\t"
                     "vldrb.8 q2, [%[w1]], #16\n\t"
                     "vmladava.s8 %[s1], q0, q2\n\t"
                     "vldrb.8 q1, [%[w2]], #16\n\t"
                     "vmladava.s8 %[s2], q0, q1\n\t"
                     "vldrb.8 q2, [%[w3]], #16\n\t"
                     "vmladava.s8 %[s3], q0, q2\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [x] "+r"(x), [w0] "+r"(w0), [w1] "+r"(w1), [w2] "+r"(w2), [w3] "+r"(w3),
                       [s0] "+Te"(s0), [s1] "+Te"(s1), [s2] "+Te"(s2), [s3] "+Te"(s3)
                     : [n] "r"(n)
                     : "q0", "q1", "q2", "lr", "memory");
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* Rescale n rows of two inputs. Adding the sign before the rounding shift makes it round halves
 * away from zero; where there is no shift, there is nothing to add. */
static void finish_two(const edgec_mve_rows *r, int32_t first, int32_t n, const int32_t *sums_a,
                       const int32_t *sums_b, int8_t *out_a, int8_t *out_b)
{
    const int32_t *m = r->multipliers + first;
    const int8_t *s = r->shifts + first;
    __asm__ volatile("vdup.32 q6, %[low]\n\t"
                     "vdup.32 q7, %[high]\n\t"
                     "wlstp.32 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrw.32 q0, [%[m]], #16\n\t"
                     "vldrw.32 q2, [%[a]], #16\n\t"
                     "vqrdmulh.s32 q2, q2, q0\n\t"
                     "vldrw.32 q3, [%[b]], #16\n\t"
                     "vqrdmulh.s32 q3, q3, q0\n\t"
                     "vldrb.s32 q1, [%[s]], #4\n\t"
                     "vand q4, q2, q1\n\t"
                     "vand q5, q3, q1\n\t"
                     "vshr.s32 q4, q4, #31\n\t"
                     "vshr.s32 q5, q5, #31\n\t"
                     "vqadd.s32 q2, q2, q4\n\t"
                     "vqadd.s32 q3, q3, q5\n\t"
                     "vrshl.s32 q2, q2, q1\n\t"
                     "vrshl.s32 q3, q3, q1\n\t"
                     "vqadd.s32 q2, q2, %[zero]\n\t"
                     "vqadd.s32 q3, q3, %[zero]\n\t"
                     "vmax.s32 q2, q2, q6\n\t"
                     "vmax.s32 q3, q3, q6\n\t"
                     "vmin.s32 q2, q2, q7\n\t"
                     "vmin.s32 q3, q3, q7\n\t"
                     "vstrb.32 q2, [%[to_a]], #4\n\t"
                     "vstrb.32 q3, [%[to_b]], #4\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [m] "+r"(m), [s] "+l"(s), [a] "+r"(sums_a), [b] "+r"(sums_b),
                       [to_a] "+l"(out_a), [to_b] "+l"(out_b)
                     : [n] "r"(n), [zero] "r"((int32_t)r->out_zero_point),
                       [low] "r"((int32_t)r->out_min), [high] "r"((int32_t)r->out_max)
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "memory");
}

static void finish_double(const edgec_mve_rows *r, int32_t first, int32_t n, const int32_t *sums,
                          int8_t *out)
{
    const int32_t *m = r->multipliers + first;
    const int8_t *s = r->shifts + first;
    __asm__ volatile("vdup.32 q6, %[low]\n\t"
                     "vdup.32 q7, %[high]\n\t"
                     "wlstp.32 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrw.32 q0, [%[m]], #16\n\t"
                     "vldrw.32 q2, [%[a]], #16\n\t"
                     "vqrdmulh.s32 q2, q2, q0\n\t"
                     "vldrb.s32 q1, [%[s]], #4\n\t"
                     "vand q4, q2, q1\n\t"
                     "vshr.s32 q4, q4, #31\n\t"
                     "vqadd.s32 q2, q2, q4\n\t"
                     "vrshl.s32 q2, q2, q1\n\t"
                     "vqadd.s32 q2, q2, %[zero]\n\t"
                     "vmax.s32 q2, q2, q6\n\t"
                     "vmin.s32 q2, q2, q7\n\t"
                     "vstrb.32 q2, [%[to]], #4\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [m] "+r"(m), [s] "+l"(s), [a] "+r"(sums), [to] "+l"(out)
                     : [n] "r"(n), [zero] "r"((int32_t)r->out_zero_point),
                       [low] "r"((int32_t)r->out_min), [high] "r"((int32_t)r->out_max)
                     : "q0", "q1", "q2", "q4", "q6", "q7", "lr", "memory");
}

/* The product's high word is rounded down, so that only the shift rounds. */
static void finish_single(const edgec_mve_rows *r, int32_t first, int32_t n, const int32_t *sums,
                          int8_t *out)
{
    const int32_t *m = r->multipliers + first;
    const int8_t *s = r->shifts + first;
    __asm__ volatile("vdup.32 q6, %[low]\n\t"
                     "vdup.32 q7, %[high]\n\t"
                     "wlstp.32 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrw.32 q0, [%[m]], #16\n\t"
                     "vldrw.32 q2, [%[a]], #16\n\t"
                     "vqdmulh.s32 q2, q2, q0\n\t"
                     "vldrb.s32 q1, [%[s]], #4\n\t"
                     "vrshl.s32 q2, q2, q1\n\t"
                     "vqadd.s32 q2, q2, %[zero]\n\t"
                     "vmax.s32 q2, q2, q6\n\t"
                     "vmin.s32 q2, q2, q7\n\t"
                     "vstrb.32 q2, [%[to]], #4\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [m] "+r"(m), [s] "+l"(s), [a] "+r"(sums), [to] "+l"(out)
                     : [n] "r"(n), [zero] "r"((int32_t)r->out_zero_point),
                       [low] "r"((int32_t)r->out_min), [high] "r"((int32_t)r->out_max)
                     : "q0", "q1", "q2", "q6", "q7", "lr", "memory");
}

#else

static void sum_single(const int8_t *a, const int8_t *b, const int8_t *w, int32_t n,
                       const int32_t *biases, int32_t *sums_a, int32_t *sums_b)
{
    *sums_a = *biases;
    *sums_b = *biases;
    for (int32_t i = 0; i < n; ++i) {
        *sums_a += a[i] * w[i];
        *sums_b += b[i] * w[i];
    }
}

static void sum_threes(threes *work)
{
    const int8_t *w = work->weights;
    const int32_t *biases = work->biases;
    for (int32_t *sum = work->sums; sum != work->end; ++sum, w += work->depth) {
        sum_single(work->a, work->b, w, work->depth, biases++, sum, sum + SUMS);
    }
}

static void sum_one(const int8_t *x, const int8_t *w, int32_t n, int32_t *sum)
{
    for (int32_t i = 0; i < n; ++i) {
        *sum += x[i] * w[i];
    }
}

static void sum_four(const int8_t *x, const int8_t *w, int32_t n, int32_t *sums)
{
    for (int32_t i = 0; i < 4; ++i) {
        sum_one(x, w + i * n, n, sums + i);
    }
}

static int8_t clamped(const edgec_mve_rows *r, int32_t v)
{
    const int32_t low = r->out_min - r->out_zero_point;
    const int32_t high = r->out_max - r->out_zero_point;
    return (int8_t)(edgec_clamp(v, low, high) + r->out_zero_point);
}

static void finish_double(const edgec_mve_rows *r, int32_t first, int32_t n, const int32_t *sums,
                          int8_t *out)
{
    for (int32_t i = 0; i < n; ++i) {
        const int32_t row = first + i;
        out[i] = clamped(r, edgec_requant_double(sums[i], r->multipliers[row], r->shifts[row]));
    }
}

static void finish_two(const edgec_mve_rows *r, int32_t first, int32_t n, const int32_t *sums_a,
                       const int32_t *sums_b, int8_t *out_a, int8_t *out_b)
{
    finish_double(r, first, n, sums_a, out_a);
    finish_double(r, first, n, sums_b, out_b);
}

static void finish_single(const edgec_mve_rows *r, int32_t first, int32_t n, const int32_t *sums,
                          int8_t *out)
{
    for (int32_t i = 0; i < n; ++i) {
        const int32_t row = first + i;
        out[i] = clamped(r, edgec_requant_single(sums[i], r->multipliers[row], r->shifts[row]));
    }
}

#endif

void edgec_mve_two_inputs(const edgec_mve_rows *r, const int8_t *a, const int8_t *b, int8_t *out_a,
                          int8_t *out_b)
{
    int32_t sums[2 * SUMS];
    const int32_t depth = r->depth;
    for (int32_t first = 0; first < r->rows; first += SUMS) {
        const int32_t n = r->rows - first < SUMS ? r->rows - first : SUMS;
        const int8_t *w = r->weights + first * depth;
        const int32_t *biases = r->biases + first;
        int32_t i = n - n % 3;
        if (i > 0) {
            threes work = {a, b, depth, w, biases, sums, sums + i, -depth & 15};
            sum_threes(&work);
        }
        for (; i < n; ++i) {
            sum_single(a, b, w + i * depth, depth, biases + i, sums + i, sums + SUMS + i);
        }
        finish_two(r, first, n, sums, sums + SUMS, out_a + first, out_b + first);
    }
}

void edgec_mve_one_input(const edgec_mve_rows *r, const int8_t *in, int8_t *out,
                         int32_t single_rounding)
{
    int32_t sums[SUMS];
    const int32_t depth = r->depth;
    for (int32_t first = 0; first < r->rows; first += SUMS) {
        const int32_t n = r->rows - first < SUMS ? r->rows - first : SUMS;
        const int8_t *w = r->weights + first * depth;
        int32_t i = 0;
        edgec_mve_copy((int8_t *)sums, (const int8_t *)(r->biases + first), 4 * n);
        for (; i + 4 <= n; i += 4, w += 4 * depth) {
            sum_four(in, w, depth, sums + i);
        }
        for (; i < n; ++i, w += depth) {
            sum_one(in, w, depth, sums + i);
        }
        if (single_rounding) {
            finish_single(r, first, n, sums, out + first);
        } else {
            finish_double(r, first, n, sums, out + first);
        }
    }
}
