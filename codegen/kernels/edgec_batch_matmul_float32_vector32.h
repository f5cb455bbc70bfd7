#ifndef EDGEC_BATCH_MATMUL_FLOAT32_VECTOR32_H
#define EDGEC_BATCH_MATMUL_FLOAT32_VECTOR32_H

#include "edgec_batch_matmul_float32.h"

typedef edgec_batch_matmul_float32_params edgec_batch_matmul_float32_vector32_params;

/* edgec_batch_matmul_float32 with depth1 1, 32 columns at a time; scratch (depth, 32) floats. */
void edgec_batch_matmul_float32_vector32(const edgec_batch_matmul_float32_vector32_params *p,
                                         const float *in1, const float *in2, float *out,
                                         void *scratch);

#endif
