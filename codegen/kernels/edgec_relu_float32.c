#include "edgec_relu_float32.h"

#include "edgec_clamp_float32.h"

void edgec_relu_float32(const edgec_relu_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = edgec_clamp_float32(in[i], p->out_min, p->out_max);
    }
}
