#include "edgec_elu_float32.h"

#include <math.h>

void edgec_elu_float32(const edgec_elu_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = in[i] < 0.0f ? expm1f(in[i]) : in[i];
    }
}
