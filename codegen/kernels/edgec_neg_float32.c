#include "edgec_neg_float32.h"

void edgec_neg_float32(const edgec_neg_float32_params *p, const float *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = -in[i];
    }
}
