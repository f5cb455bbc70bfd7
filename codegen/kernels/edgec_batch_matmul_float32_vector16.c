/* edgec: hot */
#include "edgec_batch_matmul_float32_vector16.h"

#define EDGEC_PANEL 16
#include "edgec_batch_matmul_float32_panels.h"

void edgec_batch_matmul_float32_vector16(const edgec_batch_matmul_float32_vector16_params *p,
                                         const float *in1, const float *in2, float *out,
                                         void *scratch)
{
    edgec_batch_matmul_float32_panels(p, in1, in2, out, scratch);
}
