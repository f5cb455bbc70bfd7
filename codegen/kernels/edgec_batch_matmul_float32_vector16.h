#ifndef EDGEC_BATCH_MATMUL_FLOAT32_VECTOR16_H
#define EDGEC_BATCH_MATMUL_FLOAT32_VECTOR16_H

#include "edgec_batch_matmul_float32.h"

typedef edgec_batch_matmul_float32_params edgec_batch_matmul_float32_vector16_params;

/* edgec_batch_matmul_float32 with depth1 1, 16 columns at a time; scratch (depth, 16) floats. */
void edgec_batch_matmul_float32_vector16(const edgec_batch_matmul_float32_vector16_params *p,
                                         const float *in1, const float *in2, float *out,
                                         void *scratch);

#endif
