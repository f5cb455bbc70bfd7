#include "edgec_prelu_float32.h"

static float element(const edgec_binary_float32_params *p, float a, float b)
{
    (void)p;
    return a >= 0.0f ? a : a * b;
}

void edgec_prelu_float32(const edgec_prelu_float32_params *p, const float *in1, const float *in2,
                         float *out)
{
    edgec_binary_float32(p, in1, in2, out, element);
}
