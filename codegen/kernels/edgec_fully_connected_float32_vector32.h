#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR32_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR32_H

#include "edgec_fully_connected_float32_vector.h"

typedef edgec_fully_connected_float32_vector edgec_fully_connected_float32_vector32_params;

/* edgec_fully_connected_float32, 32 outputs at a time. */
void edgec_fully_connected_float32_vector32(const edgec_fully_connected_float32_vector32_params *p,
                                            const float *in, float *out);

#endif
