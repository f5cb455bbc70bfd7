#include "edgec_prelu_int8.h"

static int32_t element(const edgec_binary_int8_params *p, int32_t a, int32_t b)
{
    return a >= 0 ? edgec_requant_double(a, p->multiplier1, p->shift1)
                  : edgec_requant_double(a * b, p->multiplier2, p->shift2);
}

void edgec_prelu_int8(const edgec_prelu_int8_params *p, const int8_t *in1, const int8_t *in2,
                      int8_t *out)
{
    edgec_binary_int8(p, in1, in2, out, element);
}
