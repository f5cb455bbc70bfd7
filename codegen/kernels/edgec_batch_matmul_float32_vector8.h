#ifndef EDGEC_BATCH_MATMUL_FLOAT32_VECTOR8_H
#define EDGEC_BATCH_MATMUL_FLOAT32_VECTOR8_H

#include "edgec_batch_matmul_float32.h"

typedef edgec_batch_matmul_float32_params edgec_batch_matmul_float32_vector8_params;

/* edgec_batch_matmul_float32 with depth1 1, 8 columns at a time; scratch (depth, 8) floats. */
void edgec_batch_matmul_float32_vector8(const edgec_batch_matmul_float32_vector8_params *p,
                                        const float *in1, const float *in2, float *out,
                                        void *scratch);

#endif
