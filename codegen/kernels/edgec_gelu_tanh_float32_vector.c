/* edgec: hot */
#include "edgec_gelu_tanh_float32_vector.h"

#include "edgec_functions_float32.h"

/* (1 + tanh(y)) / 2 is the logistic function of 2 y. */
static edgec_vector gelu_tanh(edgec_vector x)
{
    const edgec_vector square = edgec_times(x, x);
    const edgec_vector slope =
        edgec_multiply_add(square, edgec_all(0.044715f * 1.5957691216f), edgec_all(1.5957691216f));
    return edgec_times(x, edgec_logistic(edgec_times(x, slope)));
}

void edgec_gelu_tanh_float32_vector(const edgec_gelu_tanh_float32_vector_params *p, const float *in,
                                    float *out)
{
    edgec_apply(gelu_tanh, in, out, p->size);
}
