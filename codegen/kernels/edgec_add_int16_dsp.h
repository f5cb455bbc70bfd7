#ifndef EDGEC_ADD_INT16_DSP_H
#define EDGEC_ADD_INT16_DSP_H

#include <stdint.h>

/* For cores with SMMULR. The first input is the one of the larger scale: it is exactly halved. */
typedef struct {
    int32_t size;
    int32_t multiplier2, nudge2, shift2; /* of the second input; 2^(shift2 - 1) or 0 to round */
    int32_t multiplier, nudge, shift;    /* of the sum */
    int16_t out_min, out_max;
} edgec_add_int16_dsp_params;

/* in1 (size), in2 (size) -> out (size). */
void edgec_add_int16_dsp(const edgec_add_int16_dsp_params *p, const int16_t *in1,
                         const int16_t *in2, int16_t *out);

#endif
