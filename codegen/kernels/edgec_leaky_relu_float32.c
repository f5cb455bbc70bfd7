#include "edgec_leaky_relu_float32.h"

void edgec_leaky_relu_float32(const edgec_leaky_relu_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = in[i] > 0.0f ? in[i] : in[i] * p->alpha;
    }
}
