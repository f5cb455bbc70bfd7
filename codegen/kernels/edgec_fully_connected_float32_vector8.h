#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR8_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR8_H

#include "edgec_fully_connected_float32_vector.h"

typedef edgec_fully_connected_float32_vector edgec_fully_connected_float32_vector8_params;

/* edgec_fully_connected_float32, 8 outputs at a time. */
void edgec_fully_connected_float32_vector8(const edgec_fully_connected_float32_vector8_params *p,
                                           const float *in, float *out);

#endif
