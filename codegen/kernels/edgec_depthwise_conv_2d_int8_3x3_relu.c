/* edgec: hot */
#include "edgec_depthwise_conv_2d_int8_3x3_relu.h"

#define EDGEC_CUT_NEGATIVE
#include "edgec_depthwise_stride1.h"

void edgec_depthwise_conv_2d_int8_3x3_relu(const edgec_depthwise_conv_2d_int8_3x3_relu_params *p,
                                           const int8_t *in, int8_t *out, void *scratch)
{
    edgec_depthwise_pairs(p, in, out, scratch, plane_stride1);
}
