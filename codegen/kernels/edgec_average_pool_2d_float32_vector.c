/* edgec: hot */
#include "edgec_average_pool_2d_float32_vector.h"

#include "edgec_pool_float32_windows.h"

void edgec_average_pool_2d_float32_vector(const edgec_average_pool_2d_float32_vector_params *p,
                                          const float *in, float *out)
{
    edgec_pool_float32(p, in, out, 1);
}
