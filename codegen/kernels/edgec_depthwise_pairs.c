/* edgec: hot */
#include "edgec_depthwise_pairs.h"

#include <string.h>

#define CHANNELS 4
#define CHANNEL_BYTES 10 /* nine taps and the shift */

static int32_t min_int(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static uint32_t word(const int8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#if defined(__ARM_FEATURE_DSP)

/* Bytes 0 and 2 of v as two signed halves. */
static inline uint32_t even_bytes(uint32_t v)
{
    uint32_t r;
    __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(v));
    return r;
}

/* Bytes 1 and 3. */
static inline uint32_t odd_bytes(uint32_t v)
{
    uint32_t r;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(v));
    return r;
}

static inline uint32_t low_halves(uint32_t low, uint32_t high)
{
    uint32_t r;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(r) : "r"(low), "r"(high));
    return r;
}

static inline uint32_t high_halves(uint32_t low, uint32_t high)
{
    uint32_t r;
    __asm__("pkhtb %0, %2, %1, asr #16" : "=r"(r) : "r"(low), "r"(high));
    return r;
}

static inline uint32_t twice(uint32_t halves)
{
    uint32_t r;
    __asm__("sadd16 %0, %1, %1" : "=r"(r) : "r"(halves));
    return r;
}

#else

static uint32_t halves(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

static int32_t byte_of(uint32_t v, uint32_t shift)
{
    return (int8_t)(uint8_t)(v >> shift & 0xffu);
}

static uint32_t even_bytes(uint32_t v)
{
    return halves(byte_of(v, 0), byte_of(v, 16));
}

static uint32_t odd_bytes(uint32_t v)
{
    return halves(byte_of(v, 8), byte_of(v, 24));
}

static uint32_t low_halves(uint32_t low, uint32_t high)
{
    return (low & 0xffffu) | high << 16;
}

static uint32_t high_halves(uint32_t low, uint32_t high)
{
    return low >> 16 | (high & 0xffff0000u);
}

static uint32_t twice(uint32_t v)
{
    return halves((int32_t)((v & 0xffffu) << 1), (int32_t)(v >> 16 << 1));
}

#endif

/* One row of pairs of up to four channels, `plane` words apart, from two rows of the image. */
static void gather(uint32_t *to, int32_t plane, const int8_t *upper, int32_t upper_step,
                   const int8_t *lower, int32_t lower_step, int32_t columns, int32_t channels)
{
    uint32_t *const end = to + columns;
    if (channels == CHANNELS) {
        uint32_t *to1 = to + plane;
        uint32_t *to2 = to1 + plane;
        uint32_t *to3 = to2 + plane;
        while (to != end) {
            const uint32_t a = word(upper);
            const uint32_t b = word(lower);
            const uint32_t low = low_halves(a, b);
            const uint32_t high = high_halves(a, b);
            upper += upper_step;
            lower += lower_step;
            *to++ = even_bytes(low);
            *to1++ = odd_bytes(low);
            *to2++ = even_bytes(high);
            *to3++ = odd_bytes(high);
        }
        return;
    }
    for (; to != end; ++to, upper += upper_step, lower += lower_step) {
        for (int32_t c = 0; c < channels; ++c) {
            to[c * plane] = low_halves((uint32_t)upper[c], (uint32_t)lower[c]);
        }
    }
}

/* Rows of pairs first .. first + rows - 1 of up to four channels of an image. */
static void fill(const edgec_depthwise_pairs_params *p, const int8_t *in, int32_t first,
                 int32_t rows, int32_t channels, uint32_t *to)
{
    const int32_t columns = min_int(p->in_w, p->pitch - p->pad_left);
    const int32_t width = p->in_w * p->in_ch;
    const int32_t plane = (p->steps + 1) * p->pitch;
    const uint32_t zero = (uint8_t)p->in_zero_point * 0x01010101u;
    int8_t border[CHANNELS];
    int32_t y = 2 * first - p->pad_top;
    memcpy(border, &zero, sizeof border);
    to += p->pad_left;
    for (; rows > 0; --rows, y += 2, to += p->pitch) {
        const int upper = y >= 0 && y < p->in_h;
        const int lower = y + 1 >= 0 && y + 1 < p->in_h;
        gather(to, plane, upper ? in + y * width : border, upper ? p->in_ch : 0,
               lower ? in + (y + 1) * width : border, lower ? p->in_ch : 0, columns, channels);
    }
}

static void prepare(edgec_depthwise_plane *plane, const int8_t *w, const int32_t *scale)
{
    const uint32_t first = word(w);
    const uint32_t second = word(w + 4);
    const uint32_t a0 = twice(even_bytes(first));  /* 00 10 */
    const uint32_t a1 = twice(odd_bytes(first));   /* 01 11 */
    const uint32_t a2 = twice(even_bytes(second)); /* 02 12 */
    const uint32_t b = twice(odd_bytes(second));   /* 20 21 */
    plane->above[0] = a0;
    plane->above[1] = a1;
    plane->above[2] = a2;
    plane->below[0] = high_halves(a0, b << 16);
    plane->below[1] = high_halves(a1, b);
    plane->below[2] = high_halves(a2, (uint32_t)w[8] << 17);
    plane->bias = scale[0];
    plane->multiplier = scale[1];
    plane->shift = w[9];
    plane->nudge = plane->zero_point * (1 << plane->shift) + (1 << (plane->shift - 1));
}

/* All channels of steps first .. first + steps - 1 of one image. */
static void band(const edgec_depthwise_pairs_params *p, const int8_t *in, int8_t *out,
                 int32_t first, int32_t steps, uint32_t *pairs,
                 edgec_depthwise_pairs_kernel *kernel)
{
    const int32_t rows = p->stride == 1 ? 2 : 1;
    const int32_t width = p->out_w * p->in_ch;
    const int32_t columns = p->out_w & ~1;
    const int32_t whole = min_int(p->out_h - first * rows, steps * rows) / rows;
    edgec_depthwise_plane plane;
    plane.zero_point = p->out_zero_point;
    plane.pitch = p->pitch * 4;
    plane.skip = (p->pitch - columns * p->stride) * 4;
    plane.step = p->in_ch;
    plane.out_skip = rows * width - columns * p->in_ch;
    plane.odd = p->out_w & 1;
    out += first * rows * width;
    for (int32_t c = 0; c < p->in_ch; c += CHANNELS) {
        const int32_t channels = min_int(p->in_ch - c, CHANNELS);
        fill(p, in + c, first, steps + 1, channels, pairs);
        for (int32_t k = 0; k < channels; ++k) {
            prepare(&plane, p->weights + (c + k) * CHANNEL_BYTES, p->scales + 2 * (c + k));
            plane.pairs = pairs + k * (p->steps + 1) * p->pitch;
            plane.out = out + c + k;
            if (whole > 0) {
                plane.row = (rows - 1) * width;
                plane.out += plane.row;
                plane.steps = whole;
                plane.end = plane.pairs + columns * p->stride;
                kernel(&plane);
            }
            if (whole < steps) { /* the last step has only one row */
                plane.row = 0;
                plane.pairs += whole * p->pitch;
                plane.out = out + c + k + whole * rows * width;
                plane.steps = 1;
                plane.end = plane.pairs + columns * p->stride;
                kernel(&plane);
            }
        }
    }
}

void edgec_depthwise_pairs(const edgec_depthwise_pairs_params *p, const int8_t *in, int8_t *out,
                           void *scratch, edgec_depthwise_pairs_kernel *kernel)
{
    uint32_t *const pairs = scratch;
    const int32_t rows = p->stride == 1 ? 2 : 1;
    const int32_t total = (p->out_h + rows - 1) / rows;
    const uint32_t zero = (uint32_t)p->in_zero_point;
    const int32_t words = min_int(p->in_ch, CHANNELS) * (p->steps + 1) * p->pitch;
    for (int32_t i = 0; i < words; ++i) { /* the borders at left and right stay */
        pairs[i] = low_halves(zero, zero);
    }
    for (int32_t b = p->batches; b > 0; --b) {
        for (int32_t first = 0; first < total; first += p->steps) {
            band(p, in, out, first, min_int(p->steps, total - first), pairs, kernel);
        }
        in += p->in_h * p->in_w * p->in_ch;
        out += p->out_h * p->out_w * p->in_ch;
    }
}
