#ifndef EDGEC_MINIMUM_INT16_H
#define EDGEC_MINIMUM_INT16_H

#include "edgec_binary_int16.h"

typedef edgec_binary_int16_params edgec_minimum_int16_params;

/* out = the smaller of in1 and in2, element by element. */
void edgec_minimum_int16(const edgec_minimum_int16_params *p, const int16_t *in1,
                         const int16_t *in2, int16_t *out);

#endif
