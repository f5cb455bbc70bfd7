#include "edgec_conv_2d_int8_stored.h"

void edgec_conv_2d_int8_stored(const edgec_conv_2d_int8_stored_params *p, const int8_t *in,
                               int8_t *out, void *scratch)
{
    const int32_t out_ch = p->layer.out_ch;
    edgec_stored_weights stored = p->stored;
    edgec_conv_2d_int8_params layer = p->layer;
    layer.weights = scratch;
    for (int32_t c = 0; c < out_ch; c += p->group, layer.channels += p->group) {
        layer.out_ch = (int16_t)(out_ch - c < p->group ? out_ch - c : p->group);
        edgec_stored_rows(&stored, scratch, layer.out_ch);
        edgec_conv_2d_int8_windows(&layer, in, out + c, out_ch, edgec_conv_2d_int8_pixel,
                                   (int8_t *)scratch + p->group * stored.length);
    }
}
