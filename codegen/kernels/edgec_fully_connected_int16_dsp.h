#ifndef EDGEC_FULLY_CONNECTED_INT16_DSP_H
#define EDGEC_FULLY_CONNECTED_INT16_DSP_H

#include <stdint.h>

/* For cores with SMLAD: 8 output rows at a time. Sums fit 32 bits. */
typedef struct {
    const int32_t *weights; /* (blocks, (in_size + 1) / 2, {rows 0 1, 2 3, 4 5, 6 7}) */
    const int32_t *starts;  /* (8 * blocks) */
    const int32_t *high;    /* (out_size): scales in units of 2^-(33 + shift), whole part */
    const int32_t *low; /* (out_size): their next 31 bits; null: as edgec_sum16_dsp.h rounds */
    const uint8_t *shifts; /* (out_size) */
    int32_t batches, in_size, out_size;
    int16_t out_min, out_max;
} edgec_fully_connected_int16_dsp_params;

/* in (batches, in_size) -> out (batches, out_size). */
void edgec_fully_connected_int16_dsp(const edgec_fully_connected_int16_dsp_params *p,
                                     const int16_t *in, int16_t *out);

#endif
