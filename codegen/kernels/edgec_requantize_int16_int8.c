#include "edgec_requantize_int16_int8.h"

void edgec_requantize_int16_int8(const edgec_requantize_int16_int8_params *p, const int16_t *in,
                                 int8_t *out)
{
    for (int32_t i = p->size; i > 0; --i) {
        *out++ = (int8_t)edgec_requantize(p, *in++);
    }
}
