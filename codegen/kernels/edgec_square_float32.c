#include "edgec_square_float32.h"

void edgec_square_float32(const edgec_square_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = in[i] * in[i];
    }
}
