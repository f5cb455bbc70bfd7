#include "edgec_fully_connected_int8_mve_stored.h"

#define ROWS 16

void edgec_fully_connected_int8_mve_stored(const edgec_fully_connected_int8_mve_stored_params *p,
                                           const int8_t *in, int8_t *out, void *scratch)
{
    const int32_t all = p->layer.rows.rows;
    edgec_stored_weights stored = p->stored;
    edgec_fully_connected_int8_mve_params layer = p->layer;
    layer.rows.weights = scratch;
    layer.batches = 1;
    for (int32_t r = 0; r < all; r += ROWS) {
        layer.rows.rows = all - r < ROWS ? all - r : ROWS;
        edgec_stored_rows(&stored, scratch, layer.rows.rows);
        for (int32_t b = 0; b < p->layer.batches; ++b) {
            edgec_fully_connected_int8_mve(&layer, in + b * stored.length, out + b * all + r);
        }
        layer.rows.biases += ROWS;
        layer.rows.multipliers += ROWS;
        layer.rows.shifts += ROWS;
    }
}
