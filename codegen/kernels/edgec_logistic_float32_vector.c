/* edgec: hot */
#include "edgec_logistic_float32_vector.h"

#include "edgec_functions_float32.h"

static edgec_vector logistic(edgec_vector x)
{
    return edgec_logistic(x);
}

void edgec_logistic_float32_vector(const edgec_logistic_float32_vector_params *p, const float *in,
                                   float *out)
{
    edgec_apply(logistic, in, out, p->size);
}
