#ifndef EDGEC_QUANTIZE_INT8_H
#define EDGEC_QUANTIZE_INT8_H

#include <stdint.h>

typedef struct {
    int32_t size, zero_point;
    float scale, steps_min, steps_max; /* smallest and largest output without the zero point */
} edgec_quantize_int8_params;

/* in (size) -> out (size), int8 or uint8: in / scale, halves away from zero; what is not a
 * number gives the least. */
void edgec_quantize_int8(const edgec_quantize_int8_params *p, const float *in, void *out);

#endif
