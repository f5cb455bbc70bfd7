/* edgec: hot */
#include "edgec_fully_connected_float32_vector16.h"

#define EDGEC_PANEL 16
#include "edgec_dense_float32_rows.h"

void edgec_fully_connected_float32_vector16(const edgec_fully_connected_float32_vector16_params *p,
                                            const float *in, float *out)
{
    edgec_dense_float32_rows(p, in, out);
}
