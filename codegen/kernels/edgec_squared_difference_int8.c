#include "edgec_squared_difference_int8.h"

#define LEFT_SHIFT 7

static int32_t element(const edgec_binary_int8_params *p, int32_t a, int32_t b)
{
    const int32_t difference =
        edgec_binary_int8_first(p, a, LEFT_SHIFT) - edgec_binary_int8_second(p, b, LEFT_SHIFT);
    return edgec_binary_int8_rescale(p, difference * difference);
}

void edgec_squared_difference_int8(const edgec_squared_difference_int8_params *p, const int8_t *in1,
                                   const int8_t *in2, int8_t *out)
{
    edgec_binary_int8(p, in1, in2, out, element);
}
