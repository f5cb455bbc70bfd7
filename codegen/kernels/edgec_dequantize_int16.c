#include "edgec_dequantize_int16.h"

void edgec_dequantize_int16(const edgec_dequantize_int16_params *p, const int16_t *in, float *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = p->scale * (float)(in[i] - p->zero_point);
    }
}
