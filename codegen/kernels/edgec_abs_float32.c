#include "edgec_abs_float32.h"

#include <math.h>

void edgec_abs_float32(const edgec_abs_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = fabsf(in[i]);
    }
}
