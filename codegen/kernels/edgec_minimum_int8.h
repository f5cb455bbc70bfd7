#ifndef EDGEC_MINIMUM_INT8_H
#define EDGEC_MINIMUM_INT8_H

#include "edgec_binary_int8.h"

typedef edgec_binary_int8_params edgec_minimum_int8_params;

/* out = the smaller of in1 and in2, element by element. */
void edgec_minimum_int8(const edgec_minimum_int8_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out);

#endif
