#ifndef EDGEC_FULLY_CONNECTED_INT8_DSP_H
#define EDGEC_FULLY_CONNECTED_INT8_DSP_H

#include <stdint.h>

/* For cores with SMLAD: 8 output rows at a time. Products come in groups of four, and a halfword
 * of a weight word holds two rows, as edgec_conv_2d_int8_dsp_block.h explains. */
typedef struct {
    const int32_t *weights; /* (blocks, depth / 4, {k 0 2, k 1 3}, {rows 0 1, 2 3, 4 5, 6 7}) */
    const int32_t *starts;  /* (blocks, 8) */
    const int32_t *scales;  /* (8 * blocks, {scale, finish}), or one pair for all rows */
    int32_t batches, in_size, out_size;
    int8_t per_row; /* 1: every row has its own scale and finish */
    int8_t out_min, out_max;
    int8_t single_rounding; /* 1: round once, 0: twice */
} edgec_fully_connected_int8_dsp_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_int8_dsp(const edgec_fully_connected_int8_dsp_params *p,
                                    const int8_t *in, int8_t *out);

#endif
