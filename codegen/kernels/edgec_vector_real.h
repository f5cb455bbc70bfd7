/* Sets of edgec_vector.h that become float32: for dense layers of dynamic range.
 *
 * edgec_set_times        16 integers times one
 * edgec_set_store_real   bias + sum * (row * scale) of each channel, clamped: the first `n` of 16 */
#ifndef EDGEC_VECTOR_REAL_H
#define EDGEC_VECTOR_REAL_H

#include "edgec_vector.h"

typedef struct {
    float out_min, out_max;
} edgec_real_ends;

#if defined(EDGEC_VECTOR_AVX512_H)

EDGEC_INLINE edgec_set edgec_set_times(const int32_t *values, int32_t factor)
{
    return _mm512_mullo_epi32(_mm512_loadu_si512(values), _mm512_set1_epi32(factor));
}

EDGEC_INLINE void edgec_set_store_real(const edgec_set *s, float row, const float *scales,
                                       const float *bias, const edgec_real_ends *e, float *out,
                                       int32_t n)
{
    const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(row), _mm512_loadu_ps(scales));
    const __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(*s), scale);
    const __m512 sum = _mm512_add_ps(_mm512_loadu_ps(bias), real);
    const __m512 raised = _mm512_max_ps(_mm512_set1_ps(e->out_min), sum);
    const __mmask16 first = (__mmask16)edgec_first(n);
    _mm512_mask_storeu_ps(out, first, _mm512_min_ps(_mm512_set1_ps(e->out_max), raised));
}

#else

/* A part of a set is what a register holds. */
#if defined(EDGEC_VECTOR_AVX2_H)

#define EDGEC_PART 8

EDGEC_INLINE edgec_set edgec_set_times(const int32_t *values, int32_t factor)
{
    const __m256i by = _mm256_set1_epi32(factor);
    edgec_set s;
    s.half[0] = _mm256_mullo_epi32(edgec_at(values), by);
    s.half[1] = _mm256_mullo_epi32(edgec_at(values + 8), by);
    return s;
}

EDGEC_INLINE void edgec_part_real(const edgec_set *s, int32_t part, float row, const float *scales,
                                  const float *bias, const edgec_real_ends *e, float *out)
{
    const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(row), _mm256_loadu_ps(scales));
    const __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(s->half[part]), scale);
    const __m256 sum = _mm256_add_ps(_mm256_loadu_ps(bias), real);
    const __m256 raised = _mm256_max_ps(_mm256_set1_ps(e->out_min), sum);
    _mm256_storeu_ps(out, _mm256_min_ps(_mm256_set1_ps(e->out_max), raised));
}

#elif defined(EDGEC_VECTOR_NEON_H)

#define EDGEC_PART 4

EDGEC_INLINE edgec_set edgec_set_times(const int32_t *values, int32_t factor)
{
    edgec_set s;
    EDGEC_UNROLL
    for (int32_t i = 0; i < 4; ++i) {
        s.part[i] = vmulq_n_s32(vld1q_s32(values + 4 * i), factor);
    }
    return s;
}

EDGEC_INLINE void edgec_part_real(const edgec_set *s, int32_t part, float row, const float *scales,
                                  const float *bias, const edgec_real_ends *e, float *out)
{
    const float32x4_t scale = vmulq_n_f32(vld1q_f32(scales), row);
    const float32x4_t real = vmulq_f32(vcvtq_f32_s32(s->part[part]), scale);
    const float32x4_t raised = vmaxq_f32(vdupq_n_f32(e->out_min), vaddq_f32(vld1q_f32(bias), real));
    vst1q_f32(out, vminq_f32(vdupq_n_f32(e->out_max), raised));
}

#else

#include "edgec_clamp_float32.h"

#define EDGEC_PART 1

EDGEC_INLINE edgec_set edgec_set_times(const int32_t *values, int32_t factor)
{
    edgec_set s;
    for (int32_t i = 0; i < EDGEC_LANES; ++i) {
        s.lane[i] = values[i] * factor;
    }
    return s;
}

EDGEC_INLINE void edgec_part_real(const edgec_set *s, int32_t part, float row, const float *scales,
                                  const float *bias, const edgec_real_ends *e, float *out)
{
    *out =
        edgec_clamp_float32(*bias + (float)s->lane[part] * (row * *scales), e->out_min, e->out_max);
}

#endif

EDGEC_INLINE void edgec_set_store_real(const edgec_set *s, float row, const float *scales,
                                       const float *bias, const edgec_real_ends *e, float *out,
                                       int32_t n)
{
    float values[EDGEC_LANES];
    float *to = n >= EDGEC_LANES ? out : values;
    EDGEC_UNROLL
    for (int32_t i = 0; i < EDGEC_LANES / EDGEC_PART; ++i) {
        const int32_t at = i * EDGEC_PART;
        edgec_part_real(s, i, row, scales + at, bias + at, e, to + at);
    }
    if (n < EDGEC_LANES) {
        memcpy(out, values, (size_t)n * sizeof *out);
    }
}

#endif

#endif
