#include "edgec_gelu_float32.h"

#include <math.h>

void edgec_gelu_float32(const edgec_gelu_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = 0.5f * in[i] * erfcf(in[i] * -0.70710678f);
    }
}
