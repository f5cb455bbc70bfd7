#include "edgec_mul_float32.h"

static float element(const edgec_binary_float32_params *p, float a, float b)
{
    return edgec_clamp_float32(a * b, p->out_min, p->out_max);
}

void edgec_mul_float32(const edgec_mul_float32_params *p, const float *in1, const float *in2,
                       float *out)
{
    edgec_binary_float32(p, in1, in2, out, element);
}
