#include "edgec_quantize_int16.h"

#include <math.h>

void edgec_quantize_int16(const edgec_quantize_int16_params *p, const float *in, int16_t *out)
{
    int16_t *y = out;
    for (int32_t i = 0; i < p->size; ++i) {
        float steps = roundf(in[i] / p->scale);
        steps = !(steps >= p->steps_min) ? p->steps_min : steps;
        steps = steps > p->steps_max ? p->steps_max : steps;
        y[i] = (int16_t)((int32_t)steps + p->zero_point);
    }
}
