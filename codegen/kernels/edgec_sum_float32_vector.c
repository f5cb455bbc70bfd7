/* edgec: hot */
#include "edgec_sum_float32_vector.h"

#include "edgec_float32_vector.h"

/* The sum of `count` floats side by side, four vectors at a time. */
static float sum_of(const float *in, int32_t count)
{
    edgec_vector sum[4] = {edgec_all(0.0f), edgec_all(0.0f), edgec_all(0.0f), edgec_all(0.0f)};
    int32_t i = 0;
    for (; i + 4 * EDGEC_LANES <= count; i += 4 * EDGEC_LANES) {
        EDGEC_UNROLL for (int k = 0; k < 4; ++k)
        {
            sum[k] = edgec_plus(sum[k], edgec_load(in + i + k * EDGEC_LANES));
        }
    }
    for (; i + EDGEC_LANES <= count; i += EDGEC_LANES) {
        sum[0] = edgec_plus(sum[0], edgec_load(in + i));
    }
    float lanes[EDGEC_LANES];
    edgec_store(lanes, edgec_plus(edgec_plus(sum[0], sum[1]), edgec_plus(sum[2], sum[3])));
    float total = 0.0f;
    for (int k = 0; k < EDGEC_LANES; ++k) {
        total += lanes[k];
    }
    for (; i < count; ++i) {
        total += in[i];
    }
    return total;
}

/* The sums of EDGEC_LANES columns. */
static edgec_vector column_sums(const float *in, int32_t rows, int32_t step)
{
    edgec_vector sum = edgec_load(in);
    for (int32_t r = 1; r < rows; ++r) {
        sum = edgec_plus(sum, edgec_load(in + r * step));
    }
    return sum;
}

void edgec_sum_float32_vector(const edgec_sum_float32_vector_params *p, const float *in, float *out)
{
    for (int32_t o = 0; o < p->outer; ++o, in += p->reduced * p->inner, out += p->inner) {
        if (p->inner == 1) {
            *out = sum_of(in, p->reduced) / p->divisor;
            continue;
        }
        int32_t c = 0;
        for (; c + EDGEC_LANES <= p->inner; c += EDGEC_LANES) {
            const edgec_vector sum = column_sums(in + c, p->reduced, p->inner);
            edgec_store(out + c, edgec_over(sum, edgec_all(p->divisor)));
        }
        for (; c < p->inner; ++c) {
            float sum = 0.0f;
            for (int32_t r = 0; r < p->reduced; ++r) {
                sum += in[r * p->inner + c];
            }
            out[c] = sum / p->divisor;
        }
    }
}
