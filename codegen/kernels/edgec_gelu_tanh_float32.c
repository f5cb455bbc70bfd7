#include "edgec_gelu_tanh_float32.h"

#include <math.h>

void edgec_gelu_tanh_float32(const edgec_gelu_tanh_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        const float x = in[i];
        const float cubic = x + 0.044715f * x * x * x;
        out[i] = 0.5f * x * (1.0f + tanhf(0.7978845608f * cubic));
    }
}
