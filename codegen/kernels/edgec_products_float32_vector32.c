/* edgec: hot */
#include "edgec_products_float32_vector32.h"

#define EDGEC_PANEL 32
#include "edgec_products_float32_windows.h"

void edgec_products_float32_vector32(const edgec_products_float32_vector32_params *p,
                                     const float *in, float *out, void *scratch)
{
    edgec_products_float32(p, in, out, scratch);
}
