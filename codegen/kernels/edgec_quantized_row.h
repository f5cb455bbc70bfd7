/* A row of float32 as integers with a scale of its own, as in dynamic range. */
#ifndef EDGEC_QUANTIZED_ROW_H
#define EDGEC_QUANTIZED_ROW_H

#include <stdint.h>

/* real = scale * (q - zero_point) */
typedef struct {
    float scale;
    float inverse; /* what values are multiplied by */
    int32_t zero_point;
    int32_t least; /* -127 or -128 */
} edgec_row_scale;

/* Halves away from zero; adding a half before would round twice. */
static inline int32_t edgec_rounded(float x)
{
    const int32_t whole = (int32_t)x;
    return whole + (int32_t)(2.0f * (x - (float)whole));
}

static inline int32_t edgec_row_value(const edgec_row_scale *s, float x)
{
    const int32_t q = s->zero_point + edgec_rounded(x * s->inverse);
    return q < s->least ? s->least : q > 127 ? 127 : q;
}

/* The scale of a row whose values are low to high. Source: TFLite portable_tensor_utils.cc,
 * PortableAsymmetricQuantizeFloats. */
static inline edgec_row_scale edgec_asymmetric_scale(float low, float high)
{
    edgec_row_scale s = {1.0f, 1.0f, 0, -128};
    low = low < 0.0f ? low : 0.0f;
    high = high > 0.0f ? high : 0.0f;
    if (low == high) {
        return s;
    }
    s.scale = (high - low) / 255.0f;
    const float below = low / s.scale;
    const float above = high / s.scale;
    const float from_low = -128.0f - below;
    const float from_high = 127.0f - above;
    float zero = 128.0f - below < 127.0f + above ? from_low : from_high;
    zero = zero < -128.0f ? -128.0f : zero > 127.0f ? 127.0f : zero;
    s.zero_point = edgec_rounded(zero);
    s.inverse = 1.0f / s.scale;
    return s;
}

/* The same without zero point: PortableSymmetricQuantizeFloats. */
static inline edgec_row_scale edgec_symmetric_scale(float low, float high)
{
    edgec_row_scale s = {1.0f, 1.0f, 0, -127};
    const float reach = -low > high ? -low : high;
    if (reach != 0.0f) {
        s.scale = reach / 127.0f;
        s.inverse = 127.0f / reach;
    }
    return s;
}

#endif
