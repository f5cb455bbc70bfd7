#include "edgec_maximum_int8.h"

static int32_t element(const edgec_binary_int8_params *p, int32_t a, int32_t b)
{
    (void)p;
    return a > b ? a : b;
}

void edgec_maximum_int8(const edgec_maximum_int8_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out)
{
    edgec_binary_int8(p, in1, in2, out, element);
}
