#include "edgec_conv_2d_int8_mve_stored.h"

#include <stddef.h>

void edgec_conv_2d_int8_mve_stored(const edgec_conv_2d_int8_mve_stored_params *p, const int8_t *in,
                                   int8_t *out, void *scratch)
{
    const int32_t out_ch = p->layer.rows.rows;
    int8_t *patch = (int8_t *)scratch + p->group * p->stored.length;
    edgec_stored_weights stored = p->stored;
    edgec_conv_2d_int8_mve_params layer = p->layer;
    layer.rows.weights = scratch;
    for (int32_t c = 0; c < out_ch; c += p->group) {
        layer.rows.rows = out_ch - c < p->group ? out_ch - c : p->group;
        edgec_stored_rows(&stored, scratch, layer.rows.rows);
        edgec_conv_2d_int8_mve_strided(&layer, in, out + c, out_ch,
                                       p->patch_bytes > 0 ? patch : NULL);
        layer.rows.biases += p->group;
        layer.rows.multipliers += p->group;
        layer.rows.shifts += p->group;
    }
}
