#include "edgec_squared_difference_float32.h"

static float element(const edgec_binary_float32_params *p, float a, float b)
{
    (void)p;
    return (a - b) * (a - b);
}

void edgec_squared_difference_float32(const edgec_squared_difference_float32_params *p,
                                      const float *in1, const float *in2, float *out)
{
    edgec_binary_float32(p, in1, in2, out, element);
}
