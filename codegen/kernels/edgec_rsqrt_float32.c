#include "edgec_rsqrt_float32.h"

#include <math.h>

void edgec_rsqrt_float32(const edgec_rsqrt_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = 1.0f / sqrtf(in[i]);
    }
}
