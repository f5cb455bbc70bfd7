/* edgec: hot */
#include "edgec_conv_2d_int8_dsp_winograd.h"

#include <string.h>

#include "edgec_requant_dsp.h"

#define POINTS 16
#define BLOCK 4 /* output channels at a time, of two tiles */

typedef edgec_conv_2d_int8_dsp_winograd_params layer;

/* What the products of one block need; the assembly knows the order. */
typedef struct {
    const uint32_t *lanes; /* (16 points, in_ch / 2 pairs, 2 tiles), pairs of int16 */
    uint32_t *sums;        /* (16 points, 4 channels, 2 tiles) */
    const uint32_t *lanes_end; /* of the first point */
    uint32_t point_bytes;      /* from one point's lanes to the next one's */
    uint32_t *sums_end;
} frame;

#if defined(__ARM_FEATURE_DSP)

/* The inputs of one column are in r3 .. r6. */
#define TRANSFORM_COLUMN(bytes) \
    "sxtb16 r7, r3" bytes "\n\t" \
    "sxtb16 r9, r4" bytes "\n\t" \
    "sxtb16 r8, r5" bytes "\n\t" \
    "sxtb16 r12, r6" bytes "\n\t" \
    "ssub16 r7, r7, r8\n\t" \
    "ssub16 r12, r9, r12\n\t" \
    "ssub16 r11, r8, r9\n\t" \
    "sadd16 r8, r9, r8\n\t" \
    "stm r1!, {r7, r8, r11, r12}\n\t"

#define TRANSFORM_ROW(at0, at1, at2, at3, to) \
    "ldr r5, [r0, #" at0 "]\n\t" \
    "ldr r6, [r0, #" at1 "]\n\t" \
    "ldr r8, [r0, #" at2 "]\n\t" \
    "ldr r9, [r0, #" at3 "]\n\t" \
    "ssub16 r5, r5, r8\n\t" \
    "ssub16 r9, r6, r9\n\t" \
    "ssub16 r10, r8, r6\n\t" \
    "sadd16 r6, r6, r8\n\t" \
    "str r5, [" to "]\n\t" \
    "str r6, [" to ", r2]\n\t" \
    "str r10, [" to ", r3]\n\t" \
    "str r9, [" to ", r4]\n\t"

/* B^T d of four channels: for each column, the even and the odd channels of four points. `at` are
 * the 16 inputs, column by column. */
static void transform_columns(const int8_t *const *at, int32_t channel, uint32_t *points)
{
    register const int8_t *const *r0 __asm__("r0") = at;
    register uint32_t *r1 __asm__("r1") = points;
    register int32_t r2 __asm__("r2") = channel;
    /* clang-format off */
    __asm__ volatile(
        "mov lr, #4\n"
        "1:\n\t"
        "ldm r0!, {r3-r6}\n\t"
        "ldr r3, [r3, r2]\n\t"
        "ldr r4, [r4, r2]\n\t"
        "ldr r5, [r5, r2]\n\t"
        "ldr r6, [r6, r2]\n\t"
        TRANSFORM_COLUMN("")
        TRANSFORM_COLUMN(", ror #8")
        "subs lr, lr, #1\n\t"
        "bne 1b"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

/* (B^T d) B: from the columns' points to the lanes, whose points are `step` bytes apart. */
static void transform_rows(const uint32_t *points, uint32_t *lanes, uint32_t step)
{
    register const uint32_t *r0 __asm__("r0") = points;
    register uint32_t *r1 __asm__("r1") = lanes;
    register uint32_t r2 __asm__("r2") = step;
    /* clang-format off */
    __asm__ volatile(
        "add r3, r2, r2\n\t"
        "add r4, r3, r2\n\t"
        "add r11, r1, #8\n\t"
        "mov lr, #4\n"
        "1:\n\t"
        TRANSFORM_ROW("0", "32", "64", "96", "r1")
        TRANSFORM_ROW("16", "48", "80", "112", "r11")
        "add r0, r0, #4\n\t"
        "add r1, r1, r2, lsl #2\n\t"
        "add r11, r11, r2, lsl #2\n\t"
        "subs lr, lr, #1\n\t"
        "bne 1b"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
    /* clang-format on */
}

#define PAIR_OF(multiply, a2, a3, a4, a5, a6, a7, a8, a9) \
    "ldrd r10, r11, [r0], #8\n\t" \
    "ldrd r12, lr, [r1], #8\n\t" multiply " r2, r12, r10" a2 "\n\t" multiply " r3, r12, r11" a3 \
    "\n\t" multiply " r4, lr, r10" a4 "\n\t" multiply " r5, lr, r11" a5 "\n\t" \
    "ldrd r12, lr, [r1], #8\n\t" multiply " r6, r12, r10" a6 "\n\t" multiply " r7, r12, r11" a7 \
    "\n\t" multiply " r8, lr, r10" a8 "\n\t" multiply " r9, lr, r11" a9 "\n\t"

#define FIRST PAIR_OF("smuad", "", "", "", "", "", "", "", "")
#define PAIR PAIR_OF("smlad", ", r2", ", r3", ", r4", ", r5", ", r6", ", r7", ", r8", ", r9")

/* The sums of one block at all points; returns the weights behind it. */
static const int32_t *multiply(const frame *work, const int32_t *weights)
{
    register const frame *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = weights;
    /* clang-format off */
    __asm__ volatile(
        "ldm r0, {r2-r6}\n\t"
        "push {r3-r6}\n\t"
        "mov r0, r2\n"
        "1:\n\t"
        FIRST PAIR PAIR PAIR
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "beq 3f\n"
        "2:\n\t"
        PAIR PAIR PAIR PAIR
        "ldr r12, [sp, #4]\n\t"
        "cmp r0, r12\n\t"
        "bne 2b\n"
        "3:\n\t"
        "ldr r12, [sp]\n\t"
        "stm r12!, {r2-r9}\n\t"
        "str r12, [sp]\n\t"
        "ldrd r10, r11, [sp, #4]\n\t"
        "add r10, r10, r11\n\t"
        "str r10, [sp, #4]\n\t"
        "ldr lr, [sp, #12]\n\t"
        "cmp r12, lr\n\t"
        "bne 1b\n\t"
        "add sp, sp, #16"
        : "+r"(r0), "+r"(r1)
        :
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
          "memory");
    /* clang-format on */
    return r1;
}

#else

static inline uint32_t add16(uint32_t x, uint32_t y)
{
    return ((x + y) & 0xffffu) | ((x & 0xffff0000u) + (y & 0xffff0000u));
}

static inline uint32_t sub16(uint32_t x, uint32_t y)
{
    return ((x - y) & 0xffffu) | ((x & 0xffff0000u) - (y & 0xffff0000u));
}

/* B^T d: rows or columns of four. */
static inline void transform_four(const uint32_t *d, int32_t step, uint32_t *v, int32_t to)
{
    const uint32_t d0 = d[0];
    const uint32_t d1 = d[step];
    const uint32_t d2 = d[2 * step];
    const uint32_t d3 = d[3 * step];
    v[0] = sub16(d0, d2);
    v[to] = add16(d1, d2);
    v[2 * to] = sub16(d2, d1);
    v[3 * to] = sub16(d1, d3);
}

/* B^T d of four channels: for each column, the even and the odd channels of four points. `at` are
 * the 16 inputs, column by column. */
static void transform_columns(const int8_t *const *at, int32_t channel, uint32_t *points)
{
    for (int32_t j = 0; j < 4; ++j, at += 4) {
        uint32_t d[8];
        for (int32_t i = 0; i < 4; ++i) {
            const int8_t *x = at[i] + channel;
            d[i] = (uint32_t)(uint16_t)x[0] | (uint32_t)(uint16_t)x[2] << 16;
            d[4 + i] = (uint32_t)(uint16_t)x[1] | (uint32_t)(uint16_t)x[3] << 16;
        }
        transform_four(d, 1, points + 8 * j, 1);
        transform_four(d + 4, 1, points + 8 * j + 4, 1);
    }
}

/* (B^T d) B: from the columns' points to the lanes, whose points are `step` bytes apart. */
static void transform_rows(const uint32_t *points, uint32_t *lanes, uint32_t step)
{
    const int32_t point = (int32_t)(step / 4);
    for (int32_t i = 0; i < 4; ++i, ++points, lanes += 4 * point) {
        transform_four(points, 8, lanes, point);
        transform_four(points + 4, 8, lanes + 2, point);
    }
}

/* Both products of two pairs of int16. */
static uint32_t smuad(uint32_t x, uint32_t y)
{
    const int32_t low = (int16_t)(x & 0xffffu) * (int16_t)(y & 0xffffu);
    const int32_t high = (int16_t)(x >> 16) * (int16_t)(y >> 16);
    return (uint32_t)low + (uint32_t)high;
}

static const int32_t *multiply(const frame *work, const int32_t *weights)
{
    const uint32_t *lanes = work->lanes;
    const int32_t pairs = (int32_t)(work->lanes_end - lanes) / 2;
    for (uint32_t *sums = work->sums; sums != work->sums_end; sums += 2 * BLOCK) {
        memset(sums, 0, 2 * BLOCK * sizeof *sums);
        for (int32_t i = 0; i < pairs; ++i, lanes += 2) {
            for (int32_t o = 0; o < BLOCK; ++o) {
                const uint32_t w = (uint32_t)*weights++;
                sums[2 * o] += smuad(w, lanes[0]);
                sums[2 * o + 1] += smuad(w, lanes[1]);
            }
        }
    }
    return weights;
}

#endif

/* B^T d B of all channels of the 4x4 inputs at (y, x), for one of two tiles. */
static void transform(const layer *p, const int8_t *image, int32_t y, int32_t x,
                      const int8_t *blank, uint32_t *lanes)
{
    const int8_t *at[POINTS];
    uint32_t points[2 * POINTS];
    for (int32_t j = 0; j < 4; ++j) {
        for (int32_t i = 0; i < 4; ++i) {
            const int32_t row = y + i;
            const int32_t column = x + j;
            const int inside = row >= 0 && row < p->in_h && column >= 0 && column < p->in_w;
            at[4 * j + i] = inside ? image + (row * p->in_w + column) * p->in_ch : blank;
        }
    }
    for (int32_t c = 0; c < p->in_ch; c += 4, lanes += 4) {
        transform_columns(at, c, points);
        transform_rows(points, lanes, (uint32_t)p->in_ch * 4u);
    }
}

/* Finish one output, whose sum is four times too large. */
static inline int8_t rescaled(const layer *p, const int32_t *channel, uint32_t sum, int clamped)
{
    const int32_t v = edgec_finish_double((int32_t)sum >> 2, channel[1], channel[2]);
    if (clamped) {
        return (int8_t)(v < p->out_min ? p->out_min : v > p->out_max ? p->out_max : v);
    }
    return (int8_t)v;
}

/* A^T m A of one channel of one tile; `sums` are 8 words apart. `rows` and `columns` are how much
 * of the output is left at its corner. */
static inline void finish(const layer *p, const int32_t *channel, const uint32_t *sums, int8_t *out,
                          int32_t rows, int32_t columns, int clamped)
{
    uint32_t top[4];
    uint32_t low[4];
    top[0] = sums[0] + sums[32] + sums[64];
    low[0] = sums[32] - sums[64] - sums[96];
    const uint32_t middle = sums[40] + (uint32_t)channel[0];
    top[1] = sums[8] + middle + sums[72];
    low[1] = middle - sums[72] - sums[104];
    top[2] = sums[16] + sums[48] + sums[80];
    low[2] = sums[48] - sums[80] - sums[112];
    top[3] = sums[24] + sums[56] + sums[88];
    low[3] = sums[56] - sums[88] - sums[120];
    out[0] = rescaled(p, channel, top[0] + top[1] + top[2], clamped);
    if (columns > 1) {
        out[p->out_ch] = rescaled(p, channel, top[1] - top[2] - top[3], clamped);
    }
    if (rows > 1) {
        out += p->out_w * p->out_ch;
        out[0] = rescaled(p, channel, low[0] + low[1] + low[2], clamped);
        if (columns > 1) {
            out[p->out_ch] = rescaled(p, channel, low[1] - low[2] - low[3], clamped);
        }
    }
}

/* Two tiles, side by side, at (y, x) of the output; `columns` and `rows` are left of it there. */
static void tiles(const layer *p, const frame *work, int8_t *out, int32_t rows, int32_t columns)
{
    const int32_t *weights = p->weights;
    const int32_t *channel = p->channels;
    const int whole = rows > 1 && columns > 3 && p->out_min == INT8_MIN && p->out_max == INT8_MAX;
    for (int32_t o = 0; o < p->out_ch; o += BLOCK) {
        weights = multiply(work, weights);
        const uint32_t *sums = work->sums;
        for (int32_t i = 0; i < BLOCK; ++i, channel += 3, sums += 2, ++out) {
            if (whole) {
                finish(p, channel, sums, out, 2, 2, 0);
                finish(p, channel, sums + 1, out + 2 * p->out_ch, 2, 2, 0);
                continue;
            }
            finish(p, channel, sums, out, rows, columns, 1);
            if (columns > 2) {
                finish(p, channel, sums + 1, out + 2 * p->out_ch, rows, columns - 2, 1);
            }
        }
    }
}

void edgec_conv_2d_int8_dsp_winograd(const edgec_conv_2d_int8_dsp_winograd_params *p,
                                     const int8_t *in, int8_t *out, void *scratch)
{
    uint32_t *lanes = scratch;
    uint32_t *sums = lanes + POINTS * p->in_ch;
    int8_t *blank = (int8_t *)(sums + POINTS * 2 * BLOCK);
    const frame work = {lanes, sums, lanes + p->in_ch, (uint32_t)p->in_ch * 4u,
                        sums + POINTS * 2 * BLOCK};
    memset(blank, p->in_zero_point, (size_t)p->in_ch);
    for (int32_t batch = 0; batch < p->batches; ++batch) {
        for (int32_t y = 0; y < p->out_h; y += 2) {
            for (int32_t x = 0; x < p->out_w; x += 4) {
                transform(p, in, y - p->pad_top, x - p->pad_left, blank, lanes);
                transform(p, in, y - p->pad_top, x + 2 - p->pad_left, blank, lanes + 1);
                tiles(p, &work, out + (y * p->out_w + x) * p->out_ch, p->out_h - y, p->out_w - x);
            }
        }
        in += p->in_h * p->in_w * p->in_ch;
        out += p->out_h * p->out_w * p->out_ch;
    }
}
