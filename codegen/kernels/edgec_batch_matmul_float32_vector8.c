/* edgec: hot */
#include "edgec_batch_matmul_float32_vector8.h"

#define EDGEC_PANEL 8
#include "edgec_batch_matmul_float32_panels.h"

void edgec_batch_matmul_float32_vector8(const edgec_batch_matmul_float32_vector8_params *p,
                                        const float *in1, const float *in2, float *out,
                                        void *scratch)
{
    edgec_batch_matmul_float32_panels(p, in1, in2, out, scratch);
}
