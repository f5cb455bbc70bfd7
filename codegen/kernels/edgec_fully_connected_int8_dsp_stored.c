#include "edgec_fully_connected_int8_dsp_stored.h"

#define BLOCK 8

void edgec_fully_connected_int8_dsp_stored(const edgec_fully_connected_int8_dsp_stored_params *p,
                                           const int8_t *in, int8_t *out, void *scratch)
{
    const int32_t out_size = p->layer.out_size;
    edgec_stored_weights stored = p->stored;
    edgec_fully_connected_int8_dsp_params layer = p->layer;
    layer.weights = scratch;
    layer.batches = 1;
    for (int32_t r = 0; r < out_size; r += BLOCK, layer.starts += BLOCK) {
        layer.out_size = out_size - r < BLOCK ? out_size - r : BLOCK;
        edgec_stored_pairs(&stored, scratch, layer.out_size, BLOCK,
                           (int8_t *)scratch + BLOCK * stored.length);
        for (int32_t b = 0; b < p->layer.batches; ++b) {
            edgec_fully_connected_int8_dsp(&layer, in + b * layer.in_size, out + b * out_size + r);
        }
        layer.scales += layer.per_row ? 2 * BLOCK : 0;
    }
}
