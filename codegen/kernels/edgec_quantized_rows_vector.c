/* edgec: hot */
#include "edgec_quantized_rows_vector.h"

#include "edgec_float32_vector.h"

EDGEC_INLINE float lower(float a, float b)
{
    return a < b ? a : b;
}

EDGEC_INLINE float higher(float a, float b)
{
    return a > b ? a : b;
}

static edgec_row_scale row_scale(const float *in, int32_t size, int32_t asymmetric)
{
    float low = in[0];
    float high = in[0];
    int32_t k = 0;
    if (size >= EDGEC_LANES) {
        float lows[EDGEC_LANES];
        float highs[EDGEC_LANES];
        edgec_vector least = edgec_load(in);
        edgec_vector most = least;
        for (k = EDGEC_LANES; k + EDGEC_LANES <= size; k += EDGEC_LANES) {
            const edgec_vector x = edgec_load(in + k);
            least = edgec_smaller(least, x);
            most = edgec_larger(most, x);
        }
        edgec_store(lows, least);
        edgec_store(highs, most);
        for (int32_t i = 0; i < EDGEC_LANES; ++i) {
            low = lower(low, lows[i]);
            high = higher(high, highs[i]);
        }
    }
    for (; k < size; ++k) {
        low = lower(low, in[k]);
        high = higher(high, in[k]);
    }
    return asymmetric != 0 ? edgec_asymmetric_scale(low, high) : edgec_symmetric_scale(low, high);
}

/* All steps are between whole numbers that float32 holds. */
static void row_values(const edgec_row_scale *s, const float *in, int32_t size, int8_t *out)
{
    const edgec_vector inverse = edgec_all(s->inverse);
    const edgec_vector zero = edgec_all((float)s->zero_point);
    const edgec_vector least = edgec_all((float)s->least);
    const edgec_vector most = edgec_all(127.0f);
    int32_t k = 0;
    for (; k + EDGEC_LANES <= size; k += EDGEC_LANES) {
        const edgec_vector x = edgec_times(edgec_load(in + k), inverse);
        const edgec_vector whole = edgec_truncated(x);
        const edgec_vector rest = edgec_minus(x, whole);
        const edgec_vector up = edgec_truncated(edgec_plus(rest, rest));
        const edgec_vector q = edgec_plus(zero, edgec_plus(whole, up));
        edgec_store_int8(out + k, edgec_smaller(edgec_larger(q, least), most));
    }
    for (; k < size; ++k) {
        out[k] = (int8_t)edgec_row_value(s, in[k]);
    }
}

void edgec_quantized_rows_vector(const float *in, int32_t rows, int32_t size, int32_t asymmetric,
                                 int32_t pitch, int8_t *out, edgec_row_scale *scales)
{
    for (; rows > 0; --rows, in += size, out += pitch, ++scales) {
        *scales = row_scale(in, size, asymmetric);
        row_values(scales, in, size, out);
        memset(out + size, 0, (size_t)(pitch - size));
    }
}
