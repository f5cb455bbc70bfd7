#ifndef EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR16_H
#define EDGEC_FULLY_CONNECTED_FLOAT32_VECTOR16_H

#include "edgec_fully_connected_float32_vector.h"

typedef edgec_fully_connected_float32_vector edgec_fully_connected_float32_vector16_params;

/* edgec_fully_connected_float32, 16 outputs at a time. */
void edgec_fully_connected_float32_vector16(const edgec_fully_connected_float32_vector16_params *p,
                                            const float *in, float *out);

#endif
