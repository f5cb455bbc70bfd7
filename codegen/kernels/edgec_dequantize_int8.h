#ifndef EDGEC_DEQUANTIZE_INT8_H
#define EDGEC_DEQUANTIZE_INT8_H

#include <stdint.h>

typedef struct {
    int32_t size, zero_point;
    float scale;
    uint8_t flip; /* 128 for int8, which it turns into uint8, 0 for uint8 */
} edgec_dequantize_int8_params;

/* in (size), int8 or uint8 -> out (size): scale * (in ^ flip - zero point). */
void edgec_dequantize_int8(const edgec_dequantize_int8_params *p, const void *in, float *out);

#endif
