#ifndef EDGEC_DEPTHWISE_CONV_2D_FLOAT32_VECTOR_H
#define EDGEC_DEPTHWISE_CONV_2D_FLOAT32_VECTOR_H

#include "edgec_float32_image.h"

/* Neighbouring pixels may count as one of more channels, so that vectors are full: `image` has the
 * windows of such pixels, and `joined` are the channels of one. */
typedef struct {
    edgec_float32_image image;
    const float *weights; /* (kernel_h, kernel_w, lanes) */
    const float *bias;    /* (lanes) */
    int32_t kernel_h, kernel_w;
    int32_t tap_h, tap_w;  /* floats from a tap to the one below and to the one at its right */
    int32_t joined, lanes; /* `lanes`: `joined`, filled up to whole vectors of any machine */
    float out_min, out_max;
} edgec_depthwise_conv_2d_float32_vector_params;

/* in (batches, in_h, in_w, channels) -> out (batches, out_h, out_w, channels); scratch: a strip of
 * the image, behind which up to `lanes` floats are read. */
void edgec_depthwise_conv_2d_float32_vector(const edgec_depthwise_conv_2d_float32_vector_params *p,
                                            const float *in, float *out, void *scratch);

#endif
