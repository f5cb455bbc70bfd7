#ifndef EDGEC_ADD_INT8_MVE_H
#define EDGEC_ADD_INT8_MVE_H

#include <stdint.h>

/* The second input has the larger scale, so that it is only shifted. Shifts are -1 .. -31. */
typedef struct {
    int32_t factor, offset; /* make the first input less its zero point, shifted left */
    int32_t multiplier1, shift1;
    int32_t offset2; /* the second zero point, shifted left by 19, to be added */
    int32_t multiplier, shift;
    int32_t size;
    int8_t out_zero_point, out_min, out_max;
} edgec_add_int8_mve_params;

/* out = in1 + in2, element by element; out may be in1 or in2. */
void edgec_add_int8_mve(const edgec_add_int8_mve_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out);

#endif
