/* Parameters of the float32 convolutions by panels of output channels. */
#ifndef EDGEC_CONV_2D_FLOAT32_VECTOR_H
#define EDGEC_CONV_2D_FLOAT32_VECTOR_H

#include <stdint.h>

/* A window is runs_h x runs_w runs of `run` floats, each taps_w columns of an input row. */
typedef struct {
    const float *weights; /* (panels, runs_h, runs_w, run, panel) */
    const float *bias;    /* (panels, panel) */
    int32_t run;
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, out_ch;
    int16_t runs_h, runs_w, taps_w, stride_h, stride_w;
    int16_t dilation_h, dilation_w, pad_top, pad_left;
    int16_t pointwise; /* each output is made of the input pixel of the same number */
    float out_min, out_max;
} edgec_conv_2d_float32_vector;

#endif
