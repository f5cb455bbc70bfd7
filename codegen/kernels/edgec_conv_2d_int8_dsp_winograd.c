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

static inline uint32_t add16(uint32_t x, uint32_t y)
{
    uint32_t sum;
    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(x), "r"(y) : "cc");
    return sum;
}

static inline uint32_t sub16(uint32_t x, uint32_t y)
{
    uint32_t difference;
    __asm__("ssub16 %0, %1, %2" : "=r"(difference) : "r"(x), "r"(y) : "cc");
    return difference;
}

/* Sign-extend bytes 0 and 2. */
static inline uint32_t even_bytes(uint32_t x)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(x));
    return pair;
}

/* Sign-extend bytes 1 and 3. */
static inline uint32_t odd_bytes(uint32_t x)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(x));
    return pair;
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

static inline uint32_t even_bytes(uint32_t x)
{
    return (uint32_t)(uint16_t)(int8_t)(x & 0xffu) | (uint32_t)(uint16_t)(int8_t)(x >> 16 & 0xffu)
                                                         << 16;
}

static inline uint32_t odd_bytes(uint32_t x)
{
    return even_bytes(x >> 8);
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

/* B^T d B of all channels of the 4x4 inputs at (y, x), for one of two tiles. */
static void transform(const layer *p, const int8_t *image, int32_t y, int32_t x,
                      const int8_t *blank, uint32_t *lanes)
{
    const int8_t *at[POINTS];
    for (int32_t i = 0; i < POINTS; ++i) {
        const int32_t row = y + i / 4;
        const int32_t column = x + i % 4;
        const int inside = row >= 0 && row < p->in_h && column >= 0 && column < p->in_w;
        at[i] = inside ? image + (row * p->in_w + column) * p->in_ch : blank;
    }
    const int32_t point = p->in_ch; /* words from one point to the next */
    for (int32_t c = 0; c < p->in_ch; c += 4, lanes += 4) {
        uint32_t even[POINTS];
        uint32_t odd[POINTS];
        for (int32_t j = 0; j < 4; ++j) {
            uint32_t d[8];
            for (int32_t i = 0; i < 4; ++i) {
                uint32_t word;
                memcpy(&word, at[4 * i + j] + c, 4);
                d[i] = even_bytes(word);
                d[4 + i] = odd_bytes(word);
            }
            transform_four(d, 1, even + j, 4);
            transform_four(d + 4, 1, odd + j, 4);
        }
        for (int32_t i = 0; i < 4; ++i) {
            transform_four(even + 4 * i, 1, lanes + 4 * i * point, point);
            transform_four(odd + 4 * i, 1, lanes + 4 * i * point + 2, point);
        }
    }
}

/* Finish one output, whose sum is four times too large. */
static inline void put(const layer *p, const int32_t *channel, uint32_t sum, int8_t *out)
{
    const int32_t v = edgec_finish_double((int32_t)sum >> 2, channel[1], channel[2]);
    *out = (int8_t)(v < p->out_min ? p->out_min : v > p->out_max ? p->out_max : v);
}

/* A^T m A of one channel of one tile; `sums` are 8 words apart. The tile may reach over the
 * output's end. */
static void finish(const layer *p, const int32_t *channel, const uint32_t *sums, int8_t *out,
                   int32_t rows, int32_t columns)
{
    uint32_t top[4];
    uint32_t low[4];
    for (int32_t j = 0; j < 4; ++j, sums += 8) {
        const uint32_t middle = sums[32] + (j == 1 ? (uint32_t)channel[0] : 0u);
        top[j] = sums[0] + middle + sums[64];
        low[j] = middle - sums[64] - sums[96];
    }
    put(p, channel, top[0] + top[1] + top[2], out);
    if (columns > 1) {
        put(p, channel, top[1] - top[2] - top[3], out + p->out_ch);
    }
    if (rows > 1) {
        out += p->out_w * p->out_ch;
        put(p, channel, low[0] + low[1] + low[2], out);
        if (columns > 1) {
            put(p, channel, low[1] - low[2] - low[3], out + p->out_ch);
        }
    }
}

/* Two tiles, side by side, at (y, x) of the output; `columns` and `rows` are left of it there. */
static void tiles(const layer *p, const frame *work, int8_t *out, int32_t rows, int32_t columns)
{
    const int32_t *weights = p->weights;
    const int32_t *channel = p->channels;
    for (int32_t o = 0; o < p->out_ch; o += BLOCK) {
        weights = multiply(work, weights);
        for (int32_t i = 0; i < BLOCK; ++i, channel += 3, ++out) {
            finish(p, channel, work->sums + 2 * i, out, rows, columns);
            if (columns > 2) {
                finish(p, channel, work->sums + 2 * i + 1, out + 2 * p->out_ch, rows, columns - 2);
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
