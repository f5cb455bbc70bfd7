/* Parameters of the float32 products by panels of output channels: convolutions, dense layers. */
#ifndef EDGEC_PRODUCTS_FLOAT32_VECTOR_H
#define EDGEC_PRODUCTS_FLOAT32_VECTOR_H

#include "edgec_float32_image.h"

/* A window is runs_h x runs_w runs of `run` floats. */
typedef struct {
    edgec_float32_image image;
    const float *weights; /* (panels, runs_h, runs_w, run, panel) */
    const float *bias;    /* (panels, panel) */
    int32_t runs_h, runs_w, run;
    int32_t run_h, run_w; /* floats from a run to the one below and to the one at its right */
    int32_t out_ch;
    float out_min, out_max;
} edgec_products_float32_vector;

#endif
