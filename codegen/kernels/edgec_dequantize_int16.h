#ifndef EDGEC_DEQUANTIZE_INT16_H
#define EDGEC_DEQUANTIZE_INT16_H

#include <stdint.h>

typedef struct {
    int32_t size, zero_point;
    float scale;
} edgec_dequantize_int16_params;

/* in (size) -> out (size): scale * (in - zero point). */
void edgec_dequantize_int16(const edgec_dequantize_int16_params *p, const int16_t *in, float *out);

#endif
