/* NEON, with the dot product or without, also of 32 bits: see edgec_vector.h. Four registers are a
 * set. */
#ifndef EDGEC_VECTOR_NEON_H
#define EDGEC_VECTOR_NEON_H

#include <arm_neon.h>

#define EDGEC_FLIP 0
#define EDGEC_UNITS 1
#if defined(__ARM_FEATURE_DOTPROD)
#define EDGEC_PIXELS 4 /* from so many on, tiles have several */
#define EDGEC_SWEEPS(X) X(1, 4)
#define EDGEC_PLANAR 0
#elif defined(__aarch64__)
#define EDGEC_PIXELS 2
#define EDGEC_SWEEPS(X) X(1, 2)
#define EDGEC_PLANAR 1
#else
#define EDGEC_PIXELS INT32_MAX
#define EDGEC_SWEEPS(X) X(1, 1)
#define EDGEC_PLANAR 1
#endif

typedef struct {
    int32x4_t part[4];
} edgec_set;

EDGEC_INLINE void edgec_flip_copy(uint8_t *to, const int8_t *from, int32_t n)
{
    for (; n >= 16; n -= 16, to += 16, from += 16) {
        vst1q_u8(to, vreinterpretq_u8_s8(vld1q_s8(from)));
    }
    memcpy(to, from, (size_t)n);
}

EDGEC_INLINE void edgec_fill(uint8_t *to, int32_t value, int32_t n)
{
    for (; n > 0; n -= 16, to += 16) {
        vst1q_u8(to, vdupq_n_u8((uint8_t)value));
    }
}

EDGEC_INLINE edgec_set edgec_set_start(const edgec_channels16 *c)
{
    edgec_set s;
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4; ++i) {
        s.part[i] = vld1q_s32(c->start + 4 * i);
    }
    return s;
}

EDGEC_INLINE edgec_set edgec_set_load(const int8_t *in)
{
    const int8x16_t v = vld1q_s8(in);
    const int16x8_t low = vmovl_s8(vget_low_s8(v)), high = vmovl_s8(vget_high_s8(v));
    edgec_set s;
    s.part[0] = vmovl_s16(vget_low_s16(low));
    s.part[1] = vmovl_s16(vget_high_s16(low));
    s.part[2] = vmovl_s16(vget_low_s16(high));
    s.part[3] = vmovl_s16(vget_high_s16(high));
    return s;
}

EDGEC_INLINE edgec_set edgec_set_all(int32_t value)
{
    edgec_set s;
    s.part[0] = s.part[1] = s.part[2] = s.part[3] = vdupq_n_s32(value);
    return s;
}

EDGEC_INLINE edgec_set edgec_set_add(edgec_set a, edgec_set b)
{
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4; ++i) {
        a.part[i] = vaddq_s32(a.part[i], b.part[i]);
    }
    return a;
}

EDGEC_INLINE edgec_set edgec_set_shift_left(edgec_set s, uint32_t bits)
{
    const int32x4_t n = vdupq_n_s32((int32_t)bits);
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4; ++i) {
        s.part[i] = vshlq_s32(s.part[i], n);
    }
    return s;
}

EDGEC_INLINE void edgec_set_spill(int32_t *to, edgec_set s)
{
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4; ++i) {
        vst1q_s32(to + 4 * i, s.part[i]);
    }
}

EDGEC_INLINE int8x16_t edgec_four(const uint8_t *x)
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return vreinterpretq_s8_s32(vdupq_n_s32(word));
}

#if defined(__ARM_FEATURE_DOTPROD)

/* sums: (pixels, blocks); weights: (blocks, quads, 16, 4), `apart` bytes from block to block. */
EDGEC_INLINE void edgec_tile_sums(int32_t pixels, int32_t blocks, const uint8_t *const *px,
                                  const int32_t *quads, int32_t count, const int8_t *weights,
                                  int32_t apart, edgec_set *sums)
{
    (void)apart;
    (void)blocks;
    for (int32_t q = 0; q < count; ++q, weights += 64) {
        int8x16_t w[4];
        EDGEC_UNROLL
        for (int32_t i = 0; i < 4; ++i) {
            w[i] = vld1q_s8(weights + 16 * i);
        }
        EDGEC_UNROLL
        for (int32_t p = 0; p < pixels; ++p) {
            const int8x16_t x = edgec_four(px[p] + quads[q]);
            EDGEC_UNROLL
            for (int32_t i = 0; i < 4; ++i) {
                sums[p].part[i] = vdotq_s32(sums[p].part[i], w[i], x);
            }
        }
    }
}

/* One pixel of 16 channels; taps: (quads, 4) offsets of its bytes, weights: (quads, 16, 4). */
EDGEC_INLINE void edgec_group_sums(const uint8_t *x, const int32_t *taps, int32_t quads,
                                   const int8_t *weights, edgec_set *sums)
{
    const int8_t *in = (const int8_t *)x;
    for (int32_t q = 0; q < quads; ++q, taps += 4, weights += 64) {
        const int8x16x2_t ab = vzipq_s8(vld1q_s8(in + taps[0]), vld1q_s8(in + taps[1]));
        const int8x16x2_t cd = vzipq_s8(vld1q_s8(in + taps[2]), vld1q_s8(in + taps[3]));
        EDGEC_UNROLL
        for (int32_t i = 0; i < 2; ++i) {
            const int16x8x2_t v =
                vzipq_s16(vreinterpretq_s16_s8(ab.val[i]), vreinterpretq_s16_s8(cd.val[i]));
            const int8_t *w = weights + 32 * i;
            int32x4_t *s = sums->part + 2 * i;
            s[0] = vdotq_s32(s[0], vreinterpretq_s8_s16(v.val[0]), vld1q_s8(w));
            s[1] = vdotq_s32(s[1], vreinterpretq_s8_s16(v.val[1]), vld1q_s8(w + 16));
        }
    }
}

#else

/* Four sums of two neighbours each. */
EDGEC_INLINE int32x4_t edgec_pair_up(int32x4_t a, int32x4_t b)
{
#if defined(__aarch64__)
    return vpaddq_s32(a, b);
#else
    return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)),
                        vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
#endif
}

/* As above, for one block: a channel has two sums, and two quads at a time add up to 16 bits, as no
 * weight is -128. */
EDGEC_INLINE void edgec_tile_sums(int32_t pixels, int32_t blocks, const uint8_t *const *px,
                                  const int32_t *quads, int32_t count, const int8_t *weights,
                                  int32_t apart, edgec_set *sums)
{
    int32x4_t halves[16];
    int32_t q = 0;
    (void)apart;
    (void)blocks;
    EDGEC_UNROLL
    for (int32_t i = 0; i < 8 * pixels; ++i) {
        halves[i] = vdupq_n_s32(0);
    }
    for (; q + 2 <= count; q += 2, weights += 128) {
        int8x16_t x[2], y[2];
        EDGEC_UNROLL
        for (int32_t p = 0; p < pixels; ++p) {
            x[p] = edgec_four(px[p] + quads[q]);
            y[p] = edgec_four(px[p] + quads[q + 1]);
        }
        EDGEC_UNROLL
        for (int32_t i = 0; i < 8; ++i) {
            const int8x8_t w = vld1_s8(weights + 8 * i), v = vld1_s8(weights + 64 + 8 * i);
            EDGEC_UNROLL
            for (int32_t p = 0; p < pixels; ++p) {
                const int16x8_t first = vmull_s8(w, vget_low_s8(x[p]));
                const int16x8_t both = vmlal_s8(first, v, vget_low_s8(y[p]));
                halves[8 * p + i] = vpadalq_s16(halves[8 * p + i], both);
            }
        }
    }
    if (q < count) {
        EDGEC_UNROLL
        for (int32_t i = 0; i < 8; ++i) {
            const int8x8_t w = vld1_s8(weights + 8 * i);
            EDGEC_UNROLL
            for (int32_t p = 0; p < pixels; ++p) {
                const int8x8_t x = vget_low_s8(edgec_four(px[p] + quads[q]));
                halves[8 * p + i] = vpadalq_s16(halves[8 * p + i], vmull_s8(w, x));
            }
        }
    }
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4 * pixels; ++i) {
        int32x4_t *s = &sums[i / 4].part[i % 4];
        *s = vaddq_s32(*s, edgec_pair_up(halves[2 * i], halves[2 * i + 1]));
    }
}

/* Eight channels of two taps. */
EDGEC_INLINE void edgec_two_taps(int32x4_t *sums, int8x8_t a, int8x8_t v, int8x8_t b, int8x8_t w)
{
    const int16x8_t both = vmlal_s8(vmull_s8(a, v), b, w);
    sums[0] = vaddw_s16(sums[0], vget_low_s16(both));
    sums[1] = vaddw_s16(sums[1], vget_high_s16(both));
}

/* One pixel of 16 channels; taps: (quads, 4) offsets of its bytes, weights: (quads, 4, 16). */
EDGEC_INLINE void edgec_group_sums(const uint8_t *x, const int32_t *taps, int32_t quads,
                                   const int8_t *weights, edgec_set *sums)
{
    const int8_t *in = (const int8_t *)x;
    for (int32_t n = 2 * quads; n > 0; --n, taps += 2, weights += 32) {
        const int8x16_t a = vld1q_s8(in + taps[0]), b = vld1q_s8(in + taps[1]);
        const int8x16_t v = vld1q_s8(weights), w = vld1q_s8(weights + 16);
        edgec_two_taps(sums->part, vget_low_s8(a), vget_low_s8(v), vget_low_s8(b), vget_low_s8(w));
        edgec_two_taps(sums->part + 2, vget_high_s8(a), vget_high_s8(v), vget_high_s8(b),
                       vget_high_s8(w));
    }
}

#endif

/* Adding the sign before the rounding shift makes it round halves away from zero. */
EDGEC_INLINE edgec_set edgec_set_rescale(edgec_set s, const edgec_channels16 *c, int32_t single)
{
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4; ++i) {
        const int32x4_t m = vld1q_s32(c->multiplier + 4 * i);
        const int32x4_t shift = vld1q_s32(c->shift + 4 * i);
        int32x4_t high;
        if (single) {
            high = vqdmulhq_s32(s.part[i], m);
        } else {
            high = vqrdmulhq_s32(s.part[i], m);
            high = vsraq_n_s32(high, high, 31);
        }
        high = vaddq_s32(high, vld1q_s32(c->nudge + 4 * i));
        s.part[i] = vshlq_s32(high, vnegq_s32(shift));
    }
    return s;
}

/* The first `n` channels of `blocks` sets of each pixel, `pitch` bytes apart. */
EDGEC_INLINE void edgec_sets_store(int32_t pixels, int32_t blocks, const edgec_set *sets,
                                   const edgec_ends *e, int8_t *out, int32_t pitch, int32_t n)
{
    const int8x16_t low = vdupq_n_s8((int8_t)e->out_min), high = vdupq_n_s8((int8_t)e->out_max);
    EDGEC_UNROLL
    for (int32_t i = 0; i < pixels * blocks; ++i) {
        const int32x4_t *s = sets[i].part;
        const int16x8_t a = vcombine_s16(vqmovn_s32(s[0]), vqmovn_s32(s[1]));
        const int16x8_t b = vcombine_s16(vqmovn_s32(s[2]), vqmovn_s32(s[3]));
        const int8x16_t v = vcombine_s8(vqmovn_s16(a), vqmovn_s16(b));
        const int8x16_t clamped = vminq_s8(vmaxq_s8(v, low), high);
        const int32_t left = n - i % blocks * EDGEC_LANES;
        int8_t *to = out + (ptrdiff_t)(i / blocks) * pitch + i % blocks * EDGEC_LANES;
        if (left >= EDGEC_LANES) {
            vst1q_s8(to, clamped);
        } else if (left > 0) {
            int8_t bytes[EDGEC_LANES];
            vst1q_s8(bytes, clamped);
            memcpy(to, bytes, (size_t)left);
        }
    }
}

EDGEC_INLINE void edgec_group_store(const edgec_set *sets, const edgec_ends *e, int8_t *out,
                                    int32_t n)
{
    edgec_sets_store(1, 1, sets, e, out, 0, n);
}

#endif
