#ifndef EDGEC_SQUARED_DIFFERENCE_FLOAT32_H
#define EDGEC_SQUARED_DIFFERENCE_FLOAT32_H

#include "edgec_binary_float32.h"

typedef edgec_binary_float32_params edgec_squared_difference_float32_params;

/* out = (in1 - in2)^2, element by element. */
void edgec_squared_difference_float32(const edgec_squared_difference_float32_params *p,
                                      const float *in1, const float *in2, float *out);

#endif
