/* AVX-512 with VNNI: see edgec_vector.h. */
#ifndef EDGEC_VECTOR_AVX512_H
#define EDGEC_VECTOR_AVX512_H

#include <immintrin.h>

#define EDGEC_FLIP 0x80
#define EDGEC_PIXELS 4 /* from so many on, tiles have several */
#define EDGEC_SWEEPS(X) X(8, 1) X(2, 8) X(1, 8)
#define EDGEC_UNITS 4
#define EDGEC_PLANAR 0

typedef __m512i edgec_set;

EDGEC_INLINE __mmask64 edgec_first(int32_t n)
{
    return n >= 64 ? ~(__mmask64)0 : (((__mmask64)1 << n) - 1u);
}

EDGEC_INLINE void edgec_flip_copy(uint8_t *to, const int8_t *from, int32_t n)
{
    const __m512i flip = _mm512_set1_epi8((char)EDGEC_FLIP);
    for (; n >= 64; n -= 64, to += 64, from += 64) {
        _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), flip));
    }
    if (n > 0) {
        const __m512i v = _mm512_maskz_loadu_epi8(edgec_first(n), from);
        _mm512_storeu_si512(to, _mm512_xor_si512(v, flip));
    }
}

EDGEC_INLINE void edgec_fill(uint8_t *to, int32_t value, int32_t n)
{
    const __m512i v = _mm512_set1_epi8((char)value);
    for (; n > 0; n -= 64, to += 64) {
        _mm512_storeu_si512(to, v);
    }
}

EDGEC_INLINE edgec_set edgec_set_start(const edgec_channels16 *c)
{
    return _mm512_sub_epi32(_mm512_loadu_si512(c->start), _mm512_loadu_si512(c->offset));
}

EDGEC_INLINE edgec_set edgec_set_load(const int8_t *in)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)in));
}

EDGEC_INLINE edgec_set edgec_set_all(int32_t value)
{
    return _mm512_set1_epi32(value);
}

EDGEC_INLINE edgec_set edgec_set_add(edgec_set a, edgec_set b)
{
    return _mm512_add_epi32(a, b);
}

EDGEC_INLINE edgec_set edgec_set_shift_left(edgec_set s, uint32_t bits)
{
    return _mm512_slli_epi32(s, bits);
}

EDGEC_INLINE void edgec_set_spill(int32_t *to, edgec_set s)
{
    _mm512_storeu_si512(to, s);
}

/* sums: (pixels, blocks); weights: (blocks, quads, 16, 4), `apart` bytes from block to block. */
EDGEC_INLINE void edgec_tile_sums(int32_t pixels, int32_t blocks, const uint8_t *const *px,
                                  const int32_t *quads, int32_t count, const int8_t *weights,
                                  int32_t apart, edgec_set *sums)
{
    for (int32_t q = 0; q < count; ++q, weights += 64) {
        const int32_t at = quads[q];
        __m512i w[8];
        EDGEC_UNROLL
        for (int32_t b = 0; b < blocks; ++b) {
            w[b] = _mm512_loadu_si512(weights + (ptrdiff_t)b * apart);
        }
        EDGEC_UNROLL
        for (int32_t p = 0; p < pixels; ++p) {
            int32_t x;
            memcpy(&x, px[p] + at, sizeof x);
            EDGEC_UNROLL
            for (int32_t b = 0; b < blocks; ++b) {
                sums[p * blocks + b] =
                    _mm512_dpbusd_epi32(sums[p * blocks + b], _mm512_set1_epi32(x), w[b]);
            }
        }
    }
}

/* The high word of twice the product, rounded; its sign added so that halves go away from zero. */
EDGEC_INLINE edgec_set edgec_set_rescale(edgec_set s, const edgec_channels16 *c, int32_t single)
{
    const __m512i twice = _mm512_add_epi32(s, s);
    const __m512i m = _mm512_loadu_si512(c->multiplier);
    const __m512i m_odd = _mm512_loadu_si512(c->multiplier + 1);
    __m512i even = _mm512_mul_epi32(twice, m);
    __m512i odd = _mm512_mul_epi32(_mm512_shuffle_epi32(twice, _MM_PERM_DDBB), m_odd);
    __m512i high;
    if (!single) {
        const __m512i half = _mm512_set1_epi64((int64_t)1 << 31);
        even = _mm512_add_epi64(even, half);
        odd = _mm512_add_epi64(odd, half);
        high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
        high = _mm512_add_epi32(high, _mm512_srai_epi32(high, 31));
    } else {
        high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
    }
    high = _mm512_add_epi32(high, _mm512_loadu_si512(c->nudge));
    return _mm512_srav_epi32(high, _mm512_loadu_si512(c->shift));
}

/* Four sets as bytes, each 128-bit lane with four channels of each set in turn. */
EDGEC_INLINE __m512i edgec_pack(__m512i a, __m512i b, __m512i c, __m512i d, const edgec_ends *e)
{
    const __m512i v = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    return _mm512_min_epi8(_mm512_max_epi8(v, _mm512_set1_epi8((char)e->out_min)),
                           _mm512_set1_epi8((char)e->out_max));
}

/* The first `n` channels of `blocks` sets of each pixel, `pitch` bytes apart. */
EDGEC_INLINE void edgec_sets_store(int32_t pixels, int32_t blocks, const edgec_set *sets,
                                   const edgec_ends *e, int8_t *out, int32_t pitch, int32_t n)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __mmask64 mask = edgec_first(n);
    const int32_t total = pixels * blocks;
    EDGEC_UNROLL
    for (int32_t i = 0; i < total; i += 4) {
        const __m512i b = i + 1 < total ? sets[i + 1] : sets[i];
        const __m512i c = i + 2 < total ? sets[i + 2] : sets[i];
        const __m512i d = i + 3 < total ? sets[i + 3] : sets[i];
        const __m512i v = _mm512_permutexvar_epi32(order, edgec_pack(sets[i], b, c, d, e));
        int8_t *to = out + (ptrdiff_t)(i / blocks) * pitch + i % blocks * 16;
        if (blocks == 1) {
            const __mmask16 m = (__mmask16)mask;
            _mm_mask_storeu_epi8(to, m, _mm512_castsi512_si128(v));
            if (i + 1 < total) {
                _mm_mask_storeu_epi8(to + pitch, m, _mm512_extracti32x4_epi32(v, 1));
            }
            if (i + 2 < total) {
                _mm_mask_storeu_epi8(to + 2 * pitch, m, _mm512_extracti32x4_epi32(v, 2));
            }
            if (i + 3 < total) {
                _mm_mask_storeu_epi8(to + 3 * pitch, m, _mm512_extracti32x4_epi32(v, 3));
            }
        } else if (blocks == 2) {
            const __mmask32 m = (__mmask32)mask;
            _mm256_mask_storeu_epi8(to, m, _mm512_castsi512_si256(v));
            if (i + 2 < total) {
                _mm256_mask_storeu_epi8(to + pitch, m, _mm512_extracti64x4_epi64(v, 1));
            }
        } else {
            _mm512_mask_storeu_epi8(to, i % blocks == 0 ? mask : edgec_first(n - 64), v);
        }
    }
}

/* One pixel of 64 channels; taps: (quads, 4) offsets of its bytes, weights: (quads, 64, 4). */
EDGEC_INLINE void edgec_group_sums(const uint8_t *x, const int32_t *taps, int32_t quads,
                                   const int8_t *weights, edgec_set *sums)
{
    for (int32_t q = 0; q < quads; ++q, taps += 4, weights += 256) {
        const __m512i a = _mm512_loadu_si512(x + taps[0]);
        const __m512i b = _mm512_loadu_si512(x + taps[1]);
        const __m512i c = _mm512_loadu_si512(x + taps[2]);
        const __m512i d = _mm512_loadu_si512(x + taps[3]);
        const __m512i ab0 = _mm512_unpacklo_epi8(a, b), ab1 = _mm512_unpackhi_epi8(a, b);
        const __m512i cd0 = _mm512_unpacklo_epi8(c, d), cd1 = _mm512_unpackhi_epi8(c, d);
        const __m512i *w = (const __m512i *)(const void *)weights;
        sums[0] =
            _mm512_dpbusd_epi32(sums[0], _mm512_unpacklo_epi16(ab0, cd0), _mm512_loadu_si512(w));
        sums[1] = _mm512_dpbusd_epi32(sums[1], _mm512_unpackhi_epi16(ab0, cd0),
                                      _mm512_loadu_si512(w + 1));
        sums[2] = _mm512_dpbusd_epi32(sums[2], _mm512_unpacklo_epi16(ab1, cd1),
                                      _mm512_loadu_si512(w + 2));
        sums[3] = _mm512_dpbusd_epi32(sums[3], _mm512_unpackhi_epi16(ab1, cd1),
                                      _mm512_loadu_si512(w + 3));
    }
}

EDGEC_INLINE void edgec_group_store(const edgec_set *sets, const edgec_ends *e, int8_t *out,
                                    int32_t n)
{
    const __m512i v = edgec_pack(sets[0], sets[1], sets[2], sets[3], e);
    _mm512_mask_storeu_epi8(out, edgec_first(n), v);
}

#endif
