/* edgec: hot */
#include "edgec_fully_connected_float32.h"

#include "edgec_clamp_float32.h"

void edgec_fully_connected_float32(const edgec_fully_connected_float32_params *p, const float *in,
                                   float *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size) {
        const float *w = p->weights;
        for (int32_t r = 0; r < p->out_size; ++r, w += p->in_size) {
            float total = 0.0f;
            for (int32_t k = 0; k < p->in_size; ++k) {
                total += in[k] * w[k];
            }
            *out++ = edgec_clamp_float32(total + p->bias[r], p->out_min, p->out_max);
        }
    }
}
