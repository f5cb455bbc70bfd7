#ifndef EDGEC_RESCALE_INT16_H
#define EDGEC_RESCALE_INT16_H

#include <stdint.h>

/* A piecewise linear function of int16: a slope on either side of zero, then a clamp. */
typedef struct {
    int32_t size;
    int32_t multiplier, shift;             /* of what is not negative, see edgec_requant.h */
    int32_t below_multiplier, below_shift; /* of what is negative; may be negative itself */
    int16_t out_min, out_max;
} edgec_rescale_int16_params;

/* in (size) -> out (size). */
void edgec_rescale_int16(const edgec_rescale_int16_params *p, const int16_t *in, int16_t *out);

#endif
