#include "edgec_dequantize_int8.h"

void edgec_dequantize_int8(const edgec_dequantize_int8_params *p, const void *in, float *out)
{
    const uint8_t *x = in;
    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = p->scale * (float)((x[i] ^ p->flip) - p->zero_point);
    }
}
