/* edgec: hot */
#include "edgec_gelu_float32_vector.h"

#include "edgec_functions_float32.h"

/* |x| / 2 * erfc(|x| / sqrt 2) is what x lacks above zero, and what is left below. */
static edgec_vector gelu(edgec_vector x)
{
    const edgec_vector zero = edgec_all(0.0f);
    const edgec_vector size = edgec_larger(x, edgec_minus(zero, x));
    const edgec_vector rest = edgec_erfc(edgec_times(size, edgec_all(0.70710678f)));
    const edgec_vector lost = edgec_times(edgec_times(size, edgec_all(0.5f)), rest);
    return edgec_minus(edgec_larger(x, zero), lost);
}

void edgec_gelu_float32_vector(const edgec_gelu_float32_vector_params *p, const float *in,
                               float *out)
{
    edgec_apply(gelu, in, out, p->size);
}
