/* AVX-512 and AVX2 with FMA: see edgec_float32_vector.h. */
#ifndef EDGEC_FLOAT32_X86_H
#define EDGEC_FLOAT32_X86_H

#include <immintrin.h>

#define EDGEC_MASKED 1

#if defined(__AVX512F__) && !EDGEC_NARROW
#define EDGEC_LANES 16
#define EDGEC_PS(name) _mm512_##name##_ps
typedef __m512 edgec_vector;
#else
#define EDGEC_LANES 8
#define EDGEC_PS(name) _mm256_##name##_ps
typedef __m256 edgec_vector;
#endif

EDGEC_INLINE edgec_vector edgec_load(const float *p)
{
    return EDGEC_PS(loadu)(p);
}

EDGEC_INLINE void edgec_store(float *p, edgec_vector a)
{
    EDGEC_PS(storeu)(p, a);
}

EDGEC_INLINE edgec_vector edgec_all(float x)
{
    return EDGEC_PS(set1)(x);
}

#define EDGEC_LANEWISE(name, instruction) \
    EDGEC_INLINE edgec_vector name(edgec_vector a, edgec_vector b) \
    { \
        return EDGEC_PS(instruction)(a, b); \
    }

EDGEC_LANEWISE(edgec_plus, add)
EDGEC_LANEWISE(edgec_minus, sub)
EDGEC_LANEWISE(edgec_times, mul)
EDGEC_LANEWISE(edgec_over, div)
EDGEC_LANEWISE(edgec_larger, max)
EDGEC_LANEWISE(edgec_smaller, min)

EDGEC_INLINE edgec_vector edgec_multiply_add(edgec_vector a, edgec_vector b, edgec_vector c)
{
    return EDGEC_PS(fmadd)(a, b, c);
}

#if EDGEC_LANES == 16

EDGEC_INLINE __mmask16 edgec_first(int32_t n)
{
    return (__mmask16)(n >= EDGEC_LANES ? 0xffffu : (1u << n) - 1u);
}

EDGEC_INLINE edgec_vector edgec_load_some(const float *p, int32_t n)
{
    return _mm512_maskz_loadu_ps(edgec_first(n), p);
}

EDGEC_INLINE void edgec_store_some(float *p, edgec_vector a, int32_t n)
{
    _mm512_mask_storeu_ps(p, edgec_first(n), a);
}

EDGEC_INLINE edgec_vector edgec_above(edgec_vector a, edgec_vector x, edgec_vector limit)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ), a);
}

EDGEC_INLINE edgec_vector edgec_scaled(edgec_vector a, edgec_vector n)
{
    const __m512i power = _mm512_slli_epi32(_mm512_castps_si512(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), power));
}

EDGEC_INLINE edgec_vector edgec_truncated(edgec_vector a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

EDGEC_INLINE void edgec_store_int8(int8_t *p, edgec_vector a)
{
    _mm_storeu_si128((void *)p, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(a)));
}

#else

EDGEC_INLINE __m256i edgec_first(int32_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

EDGEC_INLINE edgec_vector edgec_load_some(const float *p, int32_t n)
{
    return n >= EDGEC_LANES ? edgec_load(p) : _mm256_maskload_ps(p, edgec_first(n));
}

EDGEC_INLINE void edgec_store_some(float *p, edgec_vector a, int32_t n)
{
    if (n >= EDGEC_LANES) {
        edgec_store(p, a);
    } else {
        _mm256_maskstore_ps(p, edgec_first(n), a);
    }
}

EDGEC_INLINE edgec_vector edgec_above(edgec_vector a, edgec_vector x, edgec_vector limit)
{
    return _mm256_and_ps(a, _mm256_cmp_ps(x, limit, _CMP_GE_OQ));
}

EDGEC_INLINE edgec_vector edgec_scaled(edgec_vector a, edgec_vector n)
{
    const __m256i power = _mm256_slli_epi32(_mm256_castps_si256(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), power));
}

EDGEC_INLINE edgec_vector edgec_truncated(edgec_vector a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

EDGEC_INLINE void edgec_store_int8(int8_t *p, edgec_vector a)
{
    const __m256i v = _mm256_cvttps_epi32(a);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((void *)p, _mm_packs_epi16(words, words));
}

#endif

#endif
