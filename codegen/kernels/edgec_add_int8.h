#ifndef EDGEC_ADD_INT8_H
#define EDGEC_ADD_INT8_H

#include <stdint.h>

#include "edgec_broadcast.h"

typedef struct {
    edgec_broadcast loops;
    int32_t multiplier1, shift1, multiplier2, shift2, out_multiplier, out_shift;
    int8_t zero_point1, zero_point2, out_zero_point, out_min, out_max;
} edgec_add_int8_params;

/* out = in1 + in2, element by element. */
void edgec_add_int8(const edgec_add_int8_params *p, const int8_t *in1, const int8_t *in2,
                    int8_t *out);

#endif
