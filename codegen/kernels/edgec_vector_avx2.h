/* AVX2, with VNNI or without: see edgec_vector.h. Two registers are a set. */
#ifndef EDGEC_VECTOR_AVX2_H
#define EDGEC_VECTOR_AVX2_H

#include <immintrin.h>

#if defined(__AVXVNNI__)
#define EDGEC_FLIP 0x80
#else
#define EDGEC_FLIP 0
#endif
#define EDGEC_PIXELS 4 /* from so many on, tiles have several */
#define EDGEC_SWEEPS(X) X(4, 1) X(1, 4)
#define EDGEC_UNITS 2
#define EDGEC_PLANAR 0

typedef struct {
    __m256i half[2];
} edgec_set;

EDGEC_INLINE __m256i edgec_at(const void *p)
{
    return _mm256_loadu_si256(p);
}

EDGEC_INLINE void edgec_flip_copy(uint8_t *to, const int8_t *from, int32_t n)
{
    const __m256i flip = _mm256_set1_epi8((char)EDGEC_FLIP);
    int8_t rest[32];
    for (; n >= 32; n -= 32, to += 32, from += 32) {
        _mm256_storeu_si256((void *)to, _mm256_xor_si256(edgec_at(from), flip));
    }
    if (n >= 16) {
        const __m128i v = _mm_loadu_si128((const void *)from);
        _mm_storeu_si128((void *)to, _mm_xor_si128(v, _mm256_castsi256_si128(flip)));
        n -= 16, to += 16, from += 16;
    }
    if (n > 0) {
        memcpy(rest, from, (size_t)n);
        _mm256_storeu_si256((void *)to, _mm256_xor_si256(edgec_at(rest), flip));
    }
}

EDGEC_INLINE void edgec_fill(uint8_t *to, int32_t value, int32_t n)
{
    for (; n > 0; n -= 32, to += 32) {
        _mm256_storeu_si256((void *)to, _mm256_set1_epi8((char)value));
    }
}

EDGEC_INLINE edgec_set edgec_set_start(const edgec_channels16 *c)
{
    edgec_set s;
    for (int32_t i = 0; i < 2; ++i) {
        s.half[i] = edgec_at(c->start + 8 * i);
        if (EDGEC_FLIP) {
            s.half[i] = _mm256_sub_epi32(s.half[i], edgec_at(c->offset + 8 * i));
        }
    }
    return s;
}

EDGEC_INLINE edgec_set edgec_set_load(const int8_t *in)
{
    edgec_set s;
    s.half[0] = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)in));
    s.half[1] = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)(in + 8)));
    return s;
}

EDGEC_INLINE edgec_set edgec_set_all(int32_t value)
{
    edgec_set s;
    s.half[0] = s.half[1] = _mm256_set1_epi32(value);
    return s;
}

EDGEC_INLINE edgec_set edgec_set_add(edgec_set a, edgec_set b)
{
    a.half[0] = _mm256_add_epi32(a.half[0], b.half[0]);
    a.half[1] = _mm256_add_epi32(a.half[1], b.half[1]);
    return a;
}

EDGEC_INLINE edgec_set edgec_set_shift_left(edgec_set s, uint32_t bits)
{
    const __m128i n = _mm_cvtsi32_si128((int32_t)bits);
    s.half[0] = _mm256_sll_epi32(s.half[0], n);
    s.half[1] = _mm256_sll_epi32(s.half[1], n);
    return s;
}

EDGEC_INLINE void edgec_set_spill(int32_t *to, edgec_set s)
{
    _mm256_storeu_si256((void *)to, s.half[0]);
    _mm256_storeu_si256((void *)(to + 8), s.half[1]);
}

/* Eight sums of four products more. Without VNNI the sign of the input moves to the weights, which
 * are not -128, so that two products never leave 16 bits. */
EDGEC_INLINE __m256i edgec_dot(__m256i sum, __m256i x, __m256i w)
{
#if defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(sum, x, w);
#else
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(w, x));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

/* sums: (pixels, blocks); weights: (blocks, quads, 16, 4), `apart` bytes from block to block. */
EDGEC_INLINE void edgec_tile_sums(int32_t pixels, int32_t blocks, const uint8_t *const *px,
                                  const int32_t *quads, int32_t count, const int8_t *weights,
                                  int32_t apart, edgec_set *sums)
{
    for (int32_t q = 0; q < count; ++q, weights += 64) {
        const int32_t at = quads[q];
        EDGEC_UNROLL
        for (int32_t b = 0; b < blocks; ++b) {
            const __m256i w0 = edgec_at(weights + (ptrdiff_t)b * apart);
            const __m256i w1 = edgec_at(weights + (ptrdiff_t)b * apart + 32);
            EDGEC_UNROLL
            for (int32_t p = 0; p < pixels; ++p) {
                edgec_set *s = sums + p * blocks + b;
                int32_t x;
                memcpy(&x, px[p] + at, sizeof x);
                s->half[0] = edgec_dot(s->half[0], _mm256_set1_epi32(x), w0);
                s->half[1] = edgec_dot(s->half[1], _mm256_set1_epi32(x), w1);
            }
        }
    }
}

/* The high word of twice the product, rounded; its sign added so that halves go away from zero. */
EDGEC_INLINE __m256i edgec_half_rescale(__m256i s, const edgec_channels16 *c, int32_t at,
                                        int32_t single)
{
    const __m256i twice = _mm256_add_epi32(s, s);
    const __m256i m = edgec_at(c->multiplier + at);
    __m256i even = _mm256_mul_epi32(twice, m);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(twice, 32), _mm256_srli_epi64(m, 32));
    __m256i high;
    if (!single) {
        const __m256i half = _mm256_set1_epi64x((int64_t)1 << 31);
        even = _mm256_add_epi64(even, half);
        odd = _mm256_add_epi64(odd, half);
        high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
        high = _mm256_add_epi32(high, _mm256_srai_epi32(high, 31));
    } else {
        high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    }
    high = _mm256_add_epi32(high, edgec_at(c->nudge + at));
    return _mm256_srav_epi32(high, edgec_at(c->shift + at));
}

EDGEC_INLINE edgec_set edgec_set_rescale(edgec_set s, const edgec_channels16 *c, int32_t single)
{
    s.half[0] = edgec_half_rescale(s.half[0], c, 0, single);
    s.half[1] = edgec_half_rescale(s.half[1], c, 8, single);
    return s;
}

/* The first `n` of 16 bytes. */
EDGEC_INLINE void edgec_store(int8_t *to, __m128i v, int32_t n)
{
    if (n >= EDGEC_LANES) {
        _mm_storeu_si128((void *)to, v);
    } else {
        int8_t bytes[EDGEC_LANES];
        _mm_storeu_si128((void *)bytes, v);
        memcpy(to, bytes, (size_t)n);
    }
}

/* Four registers as bytes, each 128-bit lane with four sums of each in turn. */
EDGEC_INLINE __m256i edgec_pack(__m256i a, __m256i b, __m256i c, __m256i d, const edgec_ends *e)
{
    const __m256i v = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    return _mm256_min_epi8(_mm256_max_epi8(v, _mm256_set1_epi8((char)e->out_min)),
                           _mm256_set1_epi8((char)e->out_max));
}

/* The first `n` channels of `blocks` sets of each pixel, `pitch` bytes apart. */
EDGEC_INLINE void edgec_sets_store(int32_t pixels, int32_t blocks, const edgec_set *sets,
                                   const edgec_ends *e, int8_t *out, int32_t pitch, int32_t n)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const int32_t total = pixels * blocks;
    EDGEC_UNROLL
    for (int32_t i = 0; i < total; i += 2) {
        const int32_t k = i + 1 < total ? i + 1 : i;
        const __m256i v =
            edgec_pack(sets[i].half[0], sets[i].half[1], sets[k].half[0], sets[k].half[1], e);
        const __m256i bytes = _mm256_permutevar8x32_epi32(v, order);
        const int32_t left = n - i % blocks * EDGEC_LANES;
        int8_t *to = out + (ptrdiff_t)(i / blocks) * pitch + i % blocks * EDGEC_LANES;
        edgec_store(to, _mm256_castsi256_si128(bytes), left > 0 ? left : 0);
        if (k != i) {
            const int32_t more = n - k % blocks * EDGEC_LANES;
            to = out + (ptrdiff_t)(k / blocks) * pitch + k % blocks * EDGEC_LANES;
            edgec_store(to, _mm256_extracti128_si256(bytes, 1), more > 0 ? more : 0);
        }
    }
}

/* One pixel of 32 channels; taps: (quads, 4) offsets of its bytes, weights: (quads, 32, 4). */
EDGEC_INLINE void edgec_group_sums(const uint8_t *x, const int32_t *taps, int32_t quads,
                                   const int8_t *weights, edgec_set *sums)
{
    for (int32_t q = 0; q < quads; ++q, taps += 4, weights += 128) {
        const __m256i a = edgec_at(x + taps[0]), b = edgec_at(x + taps[1]);
        const __m256i c = edgec_at(x + taps[2]), d = edgec_at(x + taps[3]);
        const __m256i ab0 = _mm256_unpacklo_epi8(a, b), ab1 = _mm256_unpackhi_epi8(a, b);
        const __m256i cd0 = _mm256_unpacklo_epi8(c, d), cd1 = _mm256_unpackhi_epi8(c, d);
        edgec_set *s = sums;
        s->half[0] = edgec_dot(s->half[0], _mm256_unpacklo_epi16(ab0, cd0), edgec_at(weights));
        s->half[1] = edgec_dot(s->half[1], _mm256_unpackhi_epi16(ab0, cd0), edgec_at(weights + 32));
        ++s;
        s->half[0] = edgec_dot(s->half[0], _mm256_unpacklo_epi16(ab1, cd1), edgec_at(weights + 64));
        s->half[1] = edgec_dot(s->half[1], _mm256_unpackhi_epi16(ab1, cd1), edgec_at(weights + 96));
    }
}

EDGEC_INLINE void edgec_group_store(const edgec_set *sets, const edgec_ends *e, int8_t *out,
                                    int32_t n)
{
    const __m256i v =
        edgec_pack(sets[0].half[0], sets[0].half[1], sets[1].half[0], sets[1].half[1], e);
    if (n >= 2 * EDGEC_LANES) {
        _mm256_storeu_si256((void *)out, v);
    } else {
        int8_t bytes[2 * EDGEC_LANES];
        _mm256_storeu_si256((void *)bytes, v);
        memcpy(out, bytes, (size_t)n);
    }
}

#endif
