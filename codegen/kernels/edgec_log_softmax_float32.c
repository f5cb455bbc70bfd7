#include "edgec_log_softmax_float32.h"

#include <math.h>

void edgec_log_softmax_float32(const edgec_log_softmax_float32_params *p, const float *in,
                               float *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        float max = in[0];
        for (int32_t i = 1; i < p->depth; ++i) {
            max = in[i] > max ? in[i] : max;
        }
        float sum = 0.0f;
        for (int32_t i = 0; i < p->depth; ++i) {
            sum += expf(in[i] - max);
        }
        const float log_sum = logf(sum);
        for (int32_t i = 0; i < p->depth; ++i) {
            out[i] = in[i] - max - log_sum;
        }
    }
}
