#include "edgec_sqrt_float32.h"

#include <math.h>

void edgec_sqrt_float32(const edgec_sqrt_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = sqrtf(in[i]);
    }
}
