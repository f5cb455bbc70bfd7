/* edgec: hot */
#include "edgec_fully_connected_float32_int8.h"

#include "edgec_clamp_float32.h"
#include "edgec_quantized_row.h"

/* Quantise a row; returns how. */
static edgec_row_scale quantize(const edgec_fully_connected_float32_int8_params *p, const float *in,
                                int8_t *row)
{
    float low = in[0];
    float high = in[0];
    for (int32_t k = 1; k < p->in_size; ++k) {
        low = in[k] < low ? in[k] : low;
        high = in[k] > high ? in[k] : high;
    }
    const edgec_row_scale s =
        p->asymmetric != 0 ? edgec_asymmetric_scale(low, high) : edgec_symmetric_scale(low, high);
    for (int32_t k = 0; k < p->in_size; ++k) {
        row[k] = (int8_t)edgec_row_value(&s, in[k]);
    }
    return s;
}

void edgec_fully_connected_float32_int8(const edgec_fully_connected_float32_int8_params *p,
                                        const float *in, float *out, void *scratch)
{
    int8_t *const row = scratch;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size) {
        const edgec_row_scale s = quantize(p, in, row);
        const int8_t *w = p->weights;
        for (int32_t r = 0; r < p->out_size; ++r, w += p->in_size) {
            int32_t sum = -s.zero_point * p->row_sums[r];
            for (int32_t k = 0; k < p->in_size; ++k) {
                sum += row[k] * w[k];
            }
            const float real = p->bias[r] + (float)sum * (s.scale * p->scales[r]);
            *out++ = edgec_clamp_float32(real, p->out_min, p->out_max);
        }
    }
}
