/* NEON: see edgec_float32_vector.h. */
#ifndef EDGEC_FLOAT32_NEON_H
#define EDGEC_FLOAT32_NEON_H

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

#endif
