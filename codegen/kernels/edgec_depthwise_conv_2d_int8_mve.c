/* edgec: hot */
#include "edgec_depthwise_conv_2d_int8_mve.h"

#include <string.h>

#include "edgec_mve_bytes.h"
#include "edgec_requant.h"

#define TAPS 9

/* What one output pixel needs; the assembly knows the order. */
typedef struct {
    const int8_t *taps[TAPS];
    const int32_t *stream;
    int8_t *out;
    int32_t zero;
    int32_t channels;
    int8_t low[16], high[16];
} frame;

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)

/* clang-format off */
/* r0 .. r8 taps, r9 stream, r10 out, r11 zero, r12 frame, lr channels left; q0 .. q3 the sums. */
#define PRODUCTS(x, even, odd, w) \
    "vpst\n\t" \
    "vldrbt.u8 " odd ", [" x "], #16\n\t" \
    "vldrb.u8 " w ", [r9], #16\n\t" \
    "vmullb.s8 " even ", " odd ", " w "\n\t" \
    "vmullt.s8 " odd ", " odd ", " w "\n\t"

/* Add products of 16 bits, q5 of the even channels and q4 of the odd ones. */
#define WIDEN \
    "vmovlb.s16 q6, q5\n\t" \
    "vmovlt.s16 q5, q5\n\t" \
    "vadd.i32 q0, q0, q6\n\t" \
    "vadd.i32 q1, q1, q5\n\t" \
    "vmovlb.s16 q6, q4\n\t" \
    "vmovlt.s16 q4, q4\n\t" \
    "vadd.i32 q2, q2, q6\n\t" \
    "vadd.i32 q3, q3, q4\n\t"

/* The weights of the second tap are loaded twice: there is no vector left to keep them in. */
#define PAIR(x, y) \
    PRODUCTS(x, "q5", "q4", "q6") \
    "vpst\n\t" \
    "vldrbt.u8 q6, [" y "], #16\n\t" \
    "vldrb.u8 q7, [r9]\n\t" \
    "vmullb.s8 q7, q6, q7\n\t" \
    "vadd.i16 q5, q5, q7\n\t" \
    "vldrb.u8 q7, [r9], #16\n\t" \
    "vmullt.s8 q6, q6, q7\n\t" \
    "vadd.i16 q4, q4, q6\n\t" WIDEN

/* Adding the sign before the rounding shift makes it round halves away from zero; where there is
 * no shift, there is nothing to add. */
#define RESCALE(q) \
    "vldrw.32 q4, [r9], #16\n\t" \
    "vqrdmulh.s32 " q ", " q ", q4\n\t" \
    "vldrw.32 q5, [r9], #16\n\t" \
    "vand q6, " q ", q5\n\t" \
    "vshr.s32 q6, q6, #31\n\t" \
    "vqadd.s32 " q ", " q ", q6\n\t" \
    "vrshl.s32 " q ", " q ", q5\n\t"

static void pixel(const frame *f)
{
    register const frame *r12 __asm__("r12") = f;
    __asm__ volatile(
        "ldm r12, {r0-r11}\n\t"
        "ldr lr, [r12, #48]\n"
        "1:\n\t"
        "vctp.8 lr\n\t"
        "vldrw.32 q0, [r9], #16\n\t"
        "vldrw.32 q1, [r9], #16\n\t"
        "vldrw.32 q2, [r9], #16\n\t"
        "vldrw.32 q3, [r9], #16\n\t" PAIR("r0", "r1") PAIR("r2", "r3") PAIR("r4", "r5")
            PAIR("r6", "r7") PRODUCTS("r8", "q5", "q4", "q6") WIDEN RESCALE("q0") RESCALE("q1")
                RESCALE("q2") RESCALE("q3")
        "vldrb.u8 q6, [r12, #52]\n\t"
        "vldrb.u8 q7, [r12, #68]\n\t"
        "vqmovnb.s32 q4, q0\n\t"
        "vqmovnt.s32 q4, q1\n\t"
        "vqmovnb.s32 q5, q2\n\t"
        "vqmovnt.s32 q5, q3\n\t"
        "vqadd.s16 q4, q4, r11\n\t"
        "vqadd.s16 q5, q5, r11\n\t"
        "vqmovnb.s16 q0, q4\n\t"
        "vqmovnt.s16 q0, q5\n\t"
        "vmax.s8 q0, q0, q6\n\t"
        "vmin.s8 q0, q0, q7\n\t"
        "vpst\n\t"
        "vstrbt.8 q0, [r10], #16\n\t"
        "subs lr, lr, #16\n\t"
        "bgt 1b"
        : "+r"(r12)
        :
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "q0",
          "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "memory");
}
/* clang-format on */

#else

static void pixel(const frame *f)
{
    static const uint8_t vector[4] = {0, 2, 1, 3}; /* of a channel, by its last two bits */
    const int32_t *group = f->stream;
    for (int32_t c = 0; c < f->channels; ++c) {
        const int32_t lane = 4 * vector[c % 4] + c % 16 / 4;
        const int32_t *scale = group + 52 + 8 * (lane / 4) + lane % 4;
        int8_t weights[TAPS * 16];
        int32_t sum = group[lane];
        memcpy(weights, group + 16, sizeof weights);
        for (int32_t k = 0; k < TAPS; ++k) {
            sum += f->taps[k][c] * weights[16 * k + c % 16];
        }
        sum = edgec_requant_double(sum, scale[0], scale[4]);
        sum = edgec_clamp(sum, f->low[0] - f->zero, f->high[0] - f->zero) + f->zero;
        f->out[c] = (int8_t)sum;
        group += c % 16 == 15 ? 84 : 0;
    }
}

#endif

/* Point to the three taps of a window row; `row` is null outside the image. */
static void point(const edgec_depthwise_conv_2d_int8_mve_params *p, const int8_t *row, int32_t x,
                  const int8_t *blank, const int8_t **taps)
{
    for (int32_t k = 0; k < 3; ++k, x += p->dilation_w) {
        taps[k] = row == NULL || x < 0 || x >= p->in_w ? blank : row + x * p->channels;
    }
}

void edgec_depthwise_conv_2d_int8_mve(const edgec_depthwise_conv_2d_int8_mve_params *p,
                                      const int8_t *in, int8_t *out, void *scratch)
{
    const int8_t *blank = scratch;
    const int32_t pitch = p->in_w * p->channels;
    const int32_t step = p->dilation_w * p->channels;
    const int32_t most_x = p->in_w - 2 * p->dilation_w - 1; /* of a window inside the image */
    frame f;
    f.stream = p->stream;
    f.zero = p->out_zero_point;
    f.channels = p->channels;
    memset(f.low, p->out_min, sizeof f.low);
    memset(f.high, p->out_max, sizeof f.high);
    if (scratch != NULL) {
        edgec_mve_fill(scratch, p->in_zero_point, p->channels);
    }
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * pitch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int8_t *rows[3];
            int32_t inside = 1;
            int32_t x = -p->pad_left;
            for (int32_t k = 0; k < 3; ++k) {
                const int32_t y = oy * p->stride_h - p->pad_top + k * p->dilation_h;
                rows[k] = y < 0 || y >= p->in_h ? NULL : in + y * pitch;
                inside &= rows[k] != NULL;
            }
            for (int32_t ox = 0; ox < p->out_w; ++ox, x += p->stride_w, out += p->channels) {
                const int32_t at = x * p->channels;
                if (inside && x >= 0 && x <= most_x) {
                    f.taps[0] = rows[0] + at;
                    f.taps[1] = f.taps[0] + step;
                    f.taps[2] = f.taps[1] + step;
                    f.taps[3] = rows[1] + at;
                    f.taps[4] = f.taps[3] + step;
                    f.taps[5] = f.taps[4] + step;
                    f.taps[6] = rows[2] + at;
                    f.taps[7] = f.taps[6] + step;
                    f.taps[8] = f.taps[7] + step;
                } else {
                    point(p, rows[0], x, blank, f.taps);
                    point(p, rows[1], x, blank, f.taps + 3);
                    point(p, rows[2], x, blank, f.taps + 6);
                }
                f.out = out;
                pixel(&f);
            }
        }
    }
}
