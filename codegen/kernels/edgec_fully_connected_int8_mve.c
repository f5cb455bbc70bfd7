#include "edgec_fully_connected_int8_mve.h"

void edgec_fully_connected_int8_mve(const edgec_fully_connected_int8_mve_params *p,
                                    const int8_t *in, int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->rows.depth, out += p->rows.rows) {
        edgec_mve_one_input(&p->rows, in, out, p->single_rounding);
    }
}
