#include "edgec_hard_swish_float32.h"

#include "edgec_clamp_float32.h"

void edgec_hard_swish_float32(const edgec_hard_swish_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = in[i] * edgec_clamp_float32(in[i] + 3.0f, 0.0f, 6.0f) / 6.0f;
    }
}
