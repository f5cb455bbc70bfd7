#include "edgec_conv_2d_int8_vector.h"

void edgec_conv_2d_int8_vector(const edgec_conv_2d_int8_vector_params *p, const int8_t *in,
                               int8_t *out, void *scratch)
{
    edgec_vector_products(&p->rows, in, out, scratch);
}
