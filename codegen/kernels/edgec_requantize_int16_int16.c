#include "edgec_requantize_int16_int16.h"

void edgec_requantize_int16_int16(const edgec_requantize_int16_int16_params *p, const int16_t *in,
                                  int16_t *out)
{
    for (int32_t i = p->size; i > 0; --i) {
        *out++ = (int16_t)edgec_requantize(p, *in++);
    }
}
