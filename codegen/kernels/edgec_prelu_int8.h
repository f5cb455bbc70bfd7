#ifndef EDGEC_PRELU_INT8_H
#define EDGEC_PRELU_INT8_H

#include "edgec_binary_int8.h"

typedef edgec_binary_int8_params edgec_prelu_int8_params;

/* out = in1 where it is not negative, elsewhere in1 * in2. */
void edgec_prelu_int8(const edgec_prelu_int8_params *p, const int8_t *in1, const int8_t *in2,
                      int8_t *out);

#endif
