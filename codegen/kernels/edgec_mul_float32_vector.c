/* edgec: hot */
#include "edgec_mul_float32_vector.h"

#include "edgec_binary_float32_runs.h"

static edgec_vector element(edgec_vector a, edgec_vector b)
{
    return edgec_times(a, b);
}

void edgec_mul_float32_vector(const edgec_mul_float32_vector_params *p, const float *in1,
                              const float *in2, float *out)
{
    edgec_binary_float32_runs(p, in1, in2, out, element);
}
