#ifndef EDGEC_CONV_2D_FLOAT32_VECTOR8_H
#define EDGEC_CONV_2D_FLOAT32_VECTOR8_H

#include "edgec_conv_2d_float32_vector.h"

typedef edgec_conv_2d_float32_vector edgec_conv_2d_float32_vector8_params;

/* edgec_conv_2d_float32 of one group, 8 output channels at a time. Scratch is for the pointers
 * and copies of edgec_windows_float32. */
void edgec_conv_2d_float32_vector8(const edgec_conv_2d_float32_vector8_params *p, const float *in,
                                   float *out, void *scratch);

#endif
