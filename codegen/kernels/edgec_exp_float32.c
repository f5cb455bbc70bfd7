#include "edgec_exp_float32.h"

#include <math.h>

void edgec_exp_float32(const edgec_exp_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = expf(in[i]);
    }
}
