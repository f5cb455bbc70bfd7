/* edgec: hot */
#include "edgec_conv_2d_float32_vector8.h"

#define EDGEC_PANEL 8
#include "edgec_conv_2d_float32_windows.h"

void edgec_conv_2d_float32_vector8(const edgec_conv_2d_float32_vector8_params *p, const float *in,
                                   float *out, void *scratch)
{
    edgec_conv_2d_float32_windows(p, in, out, scratch);
}
