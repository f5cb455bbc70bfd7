#ifndef EDGEC_SVDF_INT8_H
#define EDGEC_SVDF_INT8_H

#include <stdint.h>

typedef struct {
    const int8_t *feature;       /* (filter, in_size) */
    const int32_t *feature_bias; /* (filter), input zero point folded in */
    const int16_t *time;         /* (filter, memory) */
    const int32_t *bias;         /* (unit) */
    int32_t batches, in_size, units, rank, memory;
    int32_t state_multiplier, state_shift, out_multiplier, out_shift;
    int8_t out_zero_point;
} edgec_svdf_int8_params;

/* in (batches, in_size) -> out (batches, units); state (batches, units * rank, memory) carries
 * over from one call to the next. */
void edgec_svdf_int8(const edgec_svdf_int8_params *p, const int8_t *in, int16_t *state,
                     int8_t *out);

#endif
