#include "edgec_minimum_int16.h"

static int32_t element(const edgec_binary_int16_params *p, int32_t a, int32_t b)
{
    (void)p;
    return a < b ? a : b;
}

void edgec_minimum_int16(const edgec_minimum_int16_params *p, const int16_t *in1,
                         const int16_t *in2, int16_t *out)
{
    edgec_binary_int16(p, in1, in2, out, element);
}
