#include "edgec_fully_connected_int8_stored.h"

#define ROWS 4

void edgec_fully_connected_int8_stored(const edgec_fully_connected_int8_stored_params *p,
                                       const int8_t *in, int8_t *out, void *scratch)
{
    const int32_t out_size = p->layer.out_size;
    edgec_stored_weights stored = p->stored;
    edgec_fully_connected_int8_params layer = p->layer;
    layer.weights = scratch;
    layer.batches = 1;
    for (int32_t r = 0; r < out_size; r += ROWS, layer.channels += ROWS) {
        layer.out_size = out_size - r < ROWS ? out_size - r : ROWS;
        edgec_stored_rows(&stored, scratch, layer.out_size);
        for (int32_t b = 0; b < p->layer.batches; ++b) {
            edgec_fully_connected_int8(&layer, in + b * layer.in_size, out + b * out_size + r);
        }
    }
}
