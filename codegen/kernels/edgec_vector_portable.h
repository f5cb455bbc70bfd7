/* The twin of the vector instructions: see edgec_vector.h. */
#ifndef EDGEC_VECTOR_PORTABLE_H
#define EDGEC_VECTOR_PORTABLE_H

#include "edgec_requant.h"

#define EDGEC_FLIP 0
#define EDGEC_PIXELS 2
#define EDGEC_SWEEPS(X) X(2, 1) X(1, 2)
#define EDGEC_UNITS 1
#define EDGEC_PLANAR 0

typedef struct {
    int32_t lane[EDGEC_LANES];
} edgec_set;

EDGEC_INLINE void edgec_flip_copy(uint8_t *to, const int8_t *from, int32_t n)
{
    memcpy(to, from, (size_t)n);
}

EDGEC_INLINE void edgec_fill(uint8_t *to, int32_t value, int32_t n)
{
    memset(to, value, (size_t)n);
}

EDGEC_INLINE edgec_set edgec_set_start(const edgec_channels16 *c)
{
    edgec_set s;
    memcpy(s.lane, c->start, sizeof s.lane);
    return s;
}

EDGEC_INLINE edgec_set edgec_set_load(const int8_t *in)
{
    edgec_set s;
    for (int32_t i = 0; i < EDGEC_LANES; ++i) {
        s.lane[i] = in[i];
    }
    return s;
}

EDGEC_INLINE edgec_set edgec_set_all(int32_t value)
{
    edgec_set s;
    for (int32_t i = 0; i < EDGEC_LANES; ++i) {
        s.lane[i] = value;
    }
    return s;
}

EDGEC_INLINE edgec_set edgec_set_add(edgec_set a, edgec_set b)
{
    for (int32_t i = 0; i < EDGEC_LANES; ++i) {
        a.lane[i] += b.lane[i];
    }
    return a;
}

EDGEC_INLINE edgec_set edgec_set_shift_left(edgec_set s, uint32_t bits)
{
    for (int32_t i = 0; i < EDGEC_LANES; ++i) {
        s.lane[i] = (int32_t)((uint32_t)s.lane[i] << bits);
    }
    return s;
}

EDGEC_INLINE void edgec_set_spill(int32_t *to, edgec_set s)
{
    memcpy(to, s.lane, sizeof s.lane);
}

/* sums: (pixels, blocks); weights: (blocks, quads, 16, 4), `apart` bytes from block to block. */
EDGEC_INLINE void edgec_tile_sums(int32_t pixels, int32_t blocks, const uint8_t *const *px,
                                  const int32_t *quads, int32_t count, const int8_t *weights,
                                  int32_t apart, edgec_set *sums)
{
    for (int32_t q = 0; q < count; ++q) {
        for (int32_t i = 0; i < pixels * blocks; ++i) {
            const int8_t *w = weights + i % blocks * apart + 4 * EDGEC_LANES * q;
            int8_t x[4];
            memcpy(x, px[i / blocks] + quads[q], sizeof x);
            for (int32_t k = 0; k < 4 * EDGEC_LANES; ++k) {
                sums[i].lane[k / 4] += x[k % 4] * w[k];
            }
        }
    }
}

EDGEC_INLINE edgec_set edgec_set_rescale(edgec_set s, const edgec_channels16 *c, int32_t single)
{
    for (int32_t i = 0; i < EDGEC_LANES; ++i) {
        const int32_t v = single ? edgec_requant_single(s.lane[i], c->multiplier[i], -c->shift[i])
                                 : edgec_requant_double(s.lane[i], c->multiplier[i], -c->shift[i]);
        s.lane[i] = v + (c->nudge[i] >> c->shift[i]); /* the zero point */
    }
    return s;
}

/* The first `n` channels of `blocks` sets of each pixel, `pitch` bytes apart. */
EDGEC_INLINE void edgec_sets_store(int32_t pixels, int32_t blocks, const edgec_set *sets,
                                   const edgec_ends *e, int8_t *out, int32_t pitch, int32_t n)
{
    for (int32_t p = 0; p < pixels; ++p, out += pitch) {
        for (int32_t i = 0; i < n; ++i) {
            const int32_t v = sets[p * blocks + i / EDGEC_LANES].lane[i % EDGEC_LANES];
            out[i] = (int8_t)edgec_clamp(v, e->out_min, e->out_max);
        }
    }
}

EDGEC_INLINE void edgec_group_sums(const uint8_t *x, const int32_t *taps, int32_t quads,
                                   const int8_t *weights, edgec_set *sums)
{
    for (int32_t q = 0; q < quads; ++q, taps += 4) {
        for (int32_t i = 0; i < 4 * EDGEC_LANES; ++i) {
            sums->lane[i / 4] += (int8_t)x[taps[i % 4] + i / 4] * *weights++;
        }
    }
}

EDGEC_INLINE void edgec_group_store(const edgec_set *sets, const edgec_ends *e, int8_t *out,
                                    int32_t n)
{
    edgec_sets_store(1, 1, sets, e, out, 0, n);
}

#endif
