#ifndef EDGEC_DEPTHWISE_CONV_2D_FLOAT32_VECTOR_H
#define EDGEC_DEPTHWISE_CONV_2D_FLOAT32_VECTOR_H

#include "edgec_depthwise_conv_2d_float32.h"

typedef edgec_depthwise_conv_2d_float32_params edgec_depthwise_conv_2d_float32_vector_params;

/* edgec_depthwise_conv_2d_float32 of multiplier 1, a vector of channels at a time. */
void edgec_depthwise_conv_2d_float32_vector(const edgec_depthwise_conv_2d_float32_vector_params *p,
                                            const float *in, float *out);

#endif
