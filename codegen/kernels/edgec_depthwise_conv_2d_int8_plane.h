#ifndef EDGEC_DEPTHWISE_CONV_2D_INT8_PLANE_H
#define EDGEC_DEPTHWISE_CONV_2D_INT8_PLANE_H

#include <stdint.h>

#include "edgec_requant.h"

typedef struct {
    const int8_t *weights; /* (in_ch, 3, 3) */
    const edgec_channel
        *channels; /* (in_ch): bias for bytes from 0, multiplier, right shift >= 1 */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, stride_h, stride_w, pad_top, pad_left;
    int16_t plane_h, plane_w; /* of the padded plane, as far as it is read */
    int8_t in_zero_point, out_zero_point, out_min, out_max;
} edgec_depthwise_conv_2d_int8_plane_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, in_ch), filter 3x3. Each channel
 * is taken out of the image into a padded plane of plane_h * plane_w bytes, the scratch. */
void edgec_depthwise_conv_2d_int8_plane(const edgec_depthwise_conv_2d_int8_plane_params *p,
                                        const int8_t *in, int8_t *out, void *scratch);

#endif
