/* Vectors of float32, as wide as the machine's: 16, 8 or 4 lanes, but no wider than EDGEC_PANEL
 * where that is defined. EDGEC_PORTABLE, or a machine without, makes them arrays of 4. */
#ifndef EDGEC_FLOAT32_VECTOR_H
#define EDGEC_FLOAT32_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define EDGEC_INLINE static inline __attribute__((always_inline))
#else
#define EDGEC_INLINE static inline
#endif

/* Before a loop of few and constant turns over vectors, which are registers only without it. */
#if defined(__clang__)
#define EDGEC_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define EDGEC_UNROLL _Pragma("GCC unroll 16")
#else
#define EDGEC_UNROLL
#endif

#if defined(EDGEC_PANEL) && EDGEC_PANEL < 16
#define EDGEC_NARROW 1
#else
#define EDGEC_NARROW 0
#endif

#if defined(__AVX512F__) && !EDGEC_NARROW && !defined(EDGEC_PORTABLE)

#include <immintrin.h>

#define EDGEC_LANES 16
typedef __m512 edgec_vector;

EDGEC_INLINE edgec_vector edgec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

EDGEC_INLINE void edgec_store(float *p, edgec_vector a)
{
    _mm512_storeu_ps(p, a);
}

EDGEC_INLINE edgec_vector edgec_all(float x)
{
    return _mm512_set1_ps(x);
}

EDGEC_INLINE edgec_vector edgec_plus(edgec_vector a, edgec_vector b)
{
    return _mm512_add_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_minus(edgec_vector a, edgec_vector b)
{
    return _mm512_sub_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_times(edgec_vector a, edgec_vector b)
{
    return _mm512_mul_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_over(edgec_vector a, edgec_vector b)
{
    return _mm512_div_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_larger(edgec_vector a, edgec_vector b)
{
    return _mm512_max_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_smaller(edgec_vector a, edgec_vector b)
{
    return _mm512_min_ps(a, b);
}

/* a * b + c */
EDGEC_INLINE edgec_vector edgec_multiply_add(edgec_vector a, edgec_vector b, edgec_vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* a where x is at least the limit, zero elsewhere. */
EDGEC_INLINE edgec_vector edgec_above(edgec_vector a, edgec_vector x, edgec_vector limit)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ), a);
}

/* a times 2 to the power of the integer in the lowest bits of n's pattern. */
EDGEC_INLINE edgec_vector edgec_scaled(edgec_vector a, edgec_vector n)
{
    const __m512i power = _mm512_slli_epi32(_mm512_castps_si512(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), power));
}

/* Without what is behind the point, as that of an int32 is. */
EDGEC_INLINE edgec_vector edgec_truncated(edgec_vector a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

/* Whole numbers of int8. */
EDGEC_INLINE void edgec_store_int8(int8_t *p, edgec_vector a)
{
    _mm_storeu_si128((void *)p, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(a)));
}

#elif defined(__AVX2__) && defined(__FMA__) && !defined(EDGEC_PORTABLE)

#include <immintrin.h>

#define EDGEC_LANES 8
typedef __m256 edgec_vector;

EDGEC_INLINE edgec_vector edgec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

EDGEC_INLINE void edgec_store(float *p, edgec_vector a)
{
    _mm256_storeu_ps(p, a);
}

EDGEC_INLINE edgec_vector edgec_all(float x)
{
    return _mm256_set1_ps(x);
}

EDGEC_INLINE edgec_vector edgec_plus(edgec_vector a, edgec_vector b)
{
    return _mm256_add_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_minus(edgec_vector a, edgec_vector b)
{
    return _mm256_sub_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_times(edgec_vector a, edgec_vector b)
{
    return _mm256_mul_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_over(edgec_vector a, edgec_vector b)
{
    return _mm256_div_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_larger(edgec_vector a, edgec_vector b)
{
    return _mm256_max_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_smaller(edgec_vector a, edgec_vector b)
{
    return _mm256_min_ps(a, b);
}

EDGEC_INLINE edgec_vector edgec_multiply_add(edgec_vector a, edgec_vector b, edgec_vector c)
{
    return _mm256_fmadd_ps(a, b, c);
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

#elif defined(__ARM_NEON) && !defined(EDGEC_PORTABLE)

#include <arm_neon.h>

#define EDGEC_LANES 4
typedef float32x4_t edgec_vector;

EDGEC_INLINE edgec_vector edgec_load(const float *p)
{
    return vld1q_f32(p);
}

EDGEC_INLINE void edgec_store(float *p, edgec_vector a)
{
    vst1q_f32(p, a);
}

EDGEC_INLINE edgec_vector edgec_all(float x)
{
    return vdupq_n_f32(x);
}

EDGEC_INLINE edgec_vector edgec_plus(edgec_vector a, edgec_vector b)
{
    return vaddq_f32(a, b);
}

EDGEC_INLINE edgec_vector edgec_minus(edgec_vector a, edgec_vector b)
{
    return vsubq_f32(a, b);
}

EDGEC_INLINE edgec_vector edgec_times(edgec_vector a, edgec_vector b)
{
    return vmulq_f32(a, b);
}

EDGEC_INLINE edgec_vector edgec_over(edgec_vector a, edgec_vector b)
{
#if defined(__aarch64__)
    return vdivq_f32(a, b);
#else
    float x[4];
    float y[4];
    vst1q_f32(x, a);
    vst1q_f32(y, b);
    for (int i = 0; i < 4; ++i) {
        x[i] /= y[i];
    }
    return vld1q_f32(x);
#endif
}

EDGEC_INLINE edgec_vector edgec_larger(edgec_vector a, edgec_vector b)
{
    return vmaxq_f32(a, b);
}

EDGEC_INLINE edgec_vector edgec_smaller(edgec_vector a, edgec_vector b)
{
    return vminq_f32(a, b);
}

EDGEC_INLINE edgec_vector edgec_multiply_add(edgec_vector a, edgec_vector b, edgec_vector c)
{
#if defined(__ARM_FEATURE_FMA)
    return vfmaq_f32(c, a, b);
#else
    return vmlaq_f32(c, a, b);
#endif
}

EDGEC_INLINE edgec_vector edgec_above(edgec_vector a, edgec_vector x, edgec_vector limit)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vcgeq_f32(x, limit)));
}

EDGEC_INLINE edgec_vector edgec_scaled(edgec_vector a, edgec_vector n)
{
    const int32x4_t power = vshlq_n_s32(vreinterpretq_s32_f32(n), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a), power));
}

EDGEC_INLINE edgec_vector edgec_truncated(edgec_vector a)
{
#if defined(__aarch64__)
    return vrndq_f32(a);
#else
    return vcvtq_f32_s32(vcvtq_s32_f32(a));
#endif
}

EDGEC_INLINE void edgec_store_int8(int8_t *p, edgec_vector a)
{
    const int16x4_t words = vqmovn_s32(vcvtq_s32_f32(a));
    int8_t bytes[8];
    vst1_s8(bytes, vqmovn_s16(vcombine_s16(words, words)));
    memcpy(p, bytes, EDGEC_LANES);
}

#else

#define EDGEC_LANES 4
typedef struct {
    float lane[4];
} edgec_vector;

EDGEC_INLINE edgec_vector edgec_load(const float *p)
{
    edgec_vector a;
    memcpy(a.lane, p, sizeof a.lane);
    return a;
}

EDGEC_INLINE void edgec_store(float *p, edgec_vector a)
{
    memcpy(p, a.lane, sizeof a.lane);
}

EDGEC_INLINE edgec_vector edgec_all(float x)
{
    const edgec_vector a = {{x, x, x, x}};
    return a;
}

#define EDGEC_LANEWISE(name, expression) \
    EDGEC_INLINE edgec_vector name(edgec_vector a, edgec_vector b) \
    { \
        for (int i = 0; i < EDGEC_LANES; ++i) { \
            const float x = a.lane[i]; \
            const float y = b.lane[i]; \
            a.lane[i] = (expression); \
        } \
        return a; \
    }

EDGEC_LANEWISE(edgec_plus, x + y)
EDGEC_LANEWISE(edgec_minus, x - y)
EDGEC_LANEWISE(edgec_times, x *y)
EDGEC_LANEWISE(edgec_over, x / y)
EDGEC_LANEWISE(edgec_larger, x > y ? x : y)
EDGEC_LANEWISE(edgec_smaller, x < y ? x : y)

EDGEC_INLINE edgec_vector edgec_multiply_add(edgec_vector a, edgec_vector b, edgec_vector c)
{
    return edgec_plus(edgec_times(a, b), c);
}

EDGEC_INLINE edgec_vector edgec_above(edgec_vector a, edgec_vector x, edgec_vector limit)
{
    for (int i = 0; i < EDGEC_LANES; ++i) {
        a.lane[i] = x.lane[i] >= limit.lane[i] ? a.lane[i] : 0.0f;
    }
    return a;
}

EDGEC_INLINE edgec_vector edgec_scaled(edgec_vector a, edgec_vector n)
{
    uint32_t bits[EDGEC_LANES];
    uint32_t power[EDGEC_LANES];
    memcpy(bits, a.lane, sizeof bits);
    memcpy(power, n.lane, sizeof power);
    for (int i = 0; i < EDGEC_LANES; ++i) {
        bits[i] += power[i] << 23;
    }
    memcpy(a.lane, bits, sizeof bits);
    return a;
}

EDGEC_INLINE edgec_vector edgec_truncated(edgec_vector a)
{
    for (int i = 0; i < EDGEC_LANES; ++i) {
        a.lane[i] = (float)(int32_t)a.lane[i];
    }
    return a;
}

EDGEC_INLINE void edgec_store_int8(int8_t *p, edgec_vector a)
{
    for (int i = 0; i < EDGEC_LANES; ++i) {
        p[i] = (int8_t)a.lane[i];
    }
}

#endif

#endif
