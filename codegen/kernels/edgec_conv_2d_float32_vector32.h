#ifndef EDGEC_CONV_2D_FLOAT32_VECTOR32_H
#define EDGEC_CONV_2D_FLOAT32_VECTOR32_H

#include "edgec_conv_2d_float32_vector.h"

typedef edgec_conv_2d_float32_vector edgec_conv_2d_float32_vector32_params;

/* edgec_conv_2d_float32 of one group, 32 output channels at a time. Scratch is for the pointers
 * and copies of edgec_windows_float32. */
void edgec_conv_2d_float32_vector32(const edgec_conv_2d_float32_vector32_params *p, const float *in,
                                    float *out, void *scratch);

#endif
