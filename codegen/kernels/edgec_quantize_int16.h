#ifndef EDGEC_QUANTIZE_INT16_H
#define EDGEC_QUANTIZE_INT16_H

#include <stdint.h>

typedef struct {
    int32_t size, zero_point;
    float scale, steps_min, steps_max; /* smallest and largest output without the zero point */
} edgec_quantize_int16_params;

/* in (size) -> out (size): in / scale, halves away from zero; what is not a number gives the
 * least. */
void edgec_quantize_int16(const edgec_quantize_int16_params *p, const float *in, int16_t *out);

#endif
