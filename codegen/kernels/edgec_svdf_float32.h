#ifndef EDGEC_SVDF_FLOAT32_H
#define EDGEC_SVDF_FLOAT32_H

#include <stdint.h>

typedef struct {
    const float *feature; /* (filter, in_size) */
    const float *time;    /* (filter, memory) */
    const float *bias;    /* (unit) */
    int32_t batches, in_size, units, rank, memory;
    float out_min, out_max;
} edgec_svdf_float32_params;

/* in (batches, in_size) -> out (batches, units); state (batches, units * rank, memory) carries
 * over from one call to the next. */
void edgec_svdf_float32(const edgec_svdf_float32_params *p, const float *in, float *state,
                        float *out);

#endif
