/* edgec: hot */
#include "edgec_add_int16.h"

#define LEFT_SHIFT 15

static int32_t element(const edgec_binary_int16_params *p, int32_t a, int32_t b)
{
    return edgec_binary_int16_rescale(p, edgec_binary_int16_first(p, a, LEFT_SHIFT) +
                                             edgec_binary_int16_second(p, b, LEFT_SHIFT));
}

void edgec_add_int16(const edgec_add_int16_params *p, const int16_t *in1, const int16_t *in2,
                     int16_t *out)
{
    edgec_binary_int16(p, in1, in2, out, element);
}
