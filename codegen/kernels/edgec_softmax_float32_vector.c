/* edgec: hot */
#include "edgec_softmax_float32_vector.h"

#include "edgec_functions_float32.h"

static float largest(const float *in, int32_t depth)
{
    float lanes[EDGEC_LANES];
    edgec_vector most = edgec_all(in[0]);
    int32_t i = 0;
    for (; i + EDGEC_LANES <= depth; i += EDGEC_LANES) {
        most = edgec_larger(most, edgec_load(in + i));
    }
    edgec_store(lanes, most);
    float max = lanes[0];
    for (int k = 1; k < EDGEC_LANES; ++k) {
        max = lanes[k] > max ? lanes[k] : max;
    }
    for (; i < depth; ++i) {
        max = in[i] > max ? in[i] : max;
    }
    return max;
}

/* Exponentials of (in - max) * beta to out; returns their sum. */
static float exponentials(const edgec_softmax_float32_vector_params *p, const float *in, float max,
                          float *out)
{
    const edgec_vector top = edgec_all(max);
    const edgec_vector beta = edgec_all(p->beta);
    float lanes[EDGEC_LANES];
    edgec_vector total = edgec_all(0.0f);
    int32_t i = 0;
    for (; i + EDGEC_LANES <= p->depth; i += EDGEC_LANES) {
        const edgec_vector e = edgec_exp(edgec_times(edgec_minus(edgec_load(in + i), top), beta));
        edgec_store(out + i, e);
        total = edgec_plus(total, e);
    }
    edgec_store(lanes, total);
    float sum = 0.0f;
    for (int k = 0; k < EDGEC_LANES; ++k) {
        sum += lanes[k];
    }
    if (i < p->depth) {
        const int32_t left = p->depth - i;
        edgec_store(lanes, top);
        memcpy(lanes, in + i, (size_t)left * sizeof *lanes);
        edgec_store(lanes, edgec_exp(edgec_times(edgec_minus(edgec_load(lanes), top), beta)));
        memcpy(out + i, lanes, (size_t)left * sizeof *lanes);
        for (int32_t k = 0; k < left; ++k) {
            sum += lanes[k];
        }
    }
    return sum;
}

void edgec_softmax_float32_vector(const edgec_softmax_float32_vector_params *p, const float *in,
                                  float *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        const float sum = exponentials(p, in, largest(in, p->depth), out);
        const edgec_vector share = edgec_all(1.0f / sum);
        int32_t i = 0;
        for (; i + EDGEC_LANES <= p->depth; i += EDGEC_LANES) {
            edgec_store(out + i, edgec_times(edgec_load(out + i), share));
        }
        for (; i < p->depth; ++i) {
            out[i] *= 1.0f / sum;
        }
    }
}
