#include "edgec_quantize_int8.h"

#include <math.h>

void edgec_quantize_int8(const edgec_quantize_int8_params *p, const float *in, void *out)
{
    uint8_t *y = out;
    for (int32_t i = 0; i < p->size; ++i) {
        float steps = roundf(in[i] / p->scale);
        steps = !(steps >= p->steps_min) ? p->steps_min : steps;
        steps = steps > p->steps_max ? p->steps_max : steps;
        y[i] = (uint8_t)((int32_t)steps + p->zero_point);
    }
}
