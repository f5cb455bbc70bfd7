#ifndef EDGEC_SQUARED_DIFFERENCE_INT8_H
#define EDGEC_SQUARED_DIFFERENCE_INT8_H

#include "edgec_binary_int8.h"

typedef edgec_binary_int8_params edgec_squared_difference_int8_params;

/* out = (in1 - in2)^2, element by element. */
void edgec_squared_difference_int8(const edgec_squared_difference_int8_params *p, const int8_t *in1,
                                   const int8_t *in2, int8_t *out);

#endif
