/* edgec: hot */
#include "edgec_products_float32_vector8.h"

#define EDGEC_PANEL 8
#include "edgec_products_float32_windows.h"

void edgec_products_float32_vector8(const edgec_products_float32_vector8_params *p, const float *in,
                                    float *out, void *scratch)
{
    edgec_products_float32(p, in, out, scratch);
}
