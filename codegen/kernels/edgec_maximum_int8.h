#ifndef EDGEC_MAXIMUM_INT8_H
#define EDGEC_MAXIMUM_INT8_H

#include "edgec_binary_int8.h"

typedef edgec_binary_int8_params edgec_maximum_int8_params;

/* out = the larger of in1 and in2, element by element. */
void edgec_maximum_int8(const edgec_maximum_int8_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out);

#endif
