/* edgec: hot */
#include "edgec_fully_connected_float32_vector8.h"

#define EDGEC_PANEL 8
#include "edgec_dense_float32_rows.h"

void edgec_fully_connected_float32_vector8(const edgec_fully_connected_float32_vector8_params *p,
                                           const float *in, float *out)
{
    edgec_dense_float32_rows(p, in, out);
}
