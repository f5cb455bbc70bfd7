#ifndef EDGEC_ADD_INT8_DSP_H
#define EDGEC_ADD_INT8_DSP_H

#include <stdint.h>

/* The second input has the larger scale, so that it is only shifted. The order of the fields is
 * known to the assembly. */
typedef struct {
    int32_t factor, offset; /* make the first input less its zero point, shifted left by 21 or 22 */
    int32_t nudge1; /* half a unit and the second zero point, before the shift */
    int32_t multiplier1, shift1;
    int32_t nudge; /* half a unit and the output's zero point, before the shift */
    int32_t multiplier, shift;
    int32_t size;
} edgec_add_int8_dsp_params;

/* out = in1 + in2, element by element; out may be in1 or in2. */
void edgec_add_int8_dsp(const edgec_add_int8_dsp_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out);

#endif
