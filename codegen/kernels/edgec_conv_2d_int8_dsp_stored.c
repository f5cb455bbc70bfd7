#include "edgec_conv_2d_int8_dsp_stored.h"

#include <stddef.h>

void edgec_conv_2d_int8_dsp_stored(const edgec_conv_2d_int8_dsp_stored_params *p, const int8_t *in,
                                   int8_t *out, void *scratch)
{
    const int32_t out_ch = p->layer.out_ch;
    const int32_t words = p->layer.shifts == NULL ? 3 : 2; /* of the channel stream */
    int8_t *spare = (int8_t *)scratch + p->group * p->layer.depth;
    edgec_stored_weights stored = p->stored;
    edgec_conv_2d_int8_dsp_params layer = p->layer;
    layer.weights = scratch;
    for (int32_t c = 0; c < out_ch; c += p->group) {
        layer.out_ch = (int16_t)(out_ch - c < p->group ? out_ch - c : p->group);
        edgec_stored_pairs(&stored, scratch, layer.out_ch, 4, spare);
        edgec_conv_2d_int8_dsp_windows(&layer, in, out + c, out_ch, edgec_conv_2d_int8_dsp_pixels,
                                       spare);
        layer.channels += p->group * words;
        if (layer.shifts != NULL) {
            layer.shifts += p->group;
        }
    }
}
