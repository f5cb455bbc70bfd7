#ifndef EDGEC_ADD_INT16_H
#define EDGEC_ADD_INT16_H

#include "edgec_binary_int16.h"

typedef edgec_binary_int16_params edgec_add_int16_params;

/* out = in1 + in2, element by element. */
void edgec_add_int16(const edgec_add_int16_params *p, const int16_t *in1, const int16_t *in2,
                     int16_t *out);

#endif
