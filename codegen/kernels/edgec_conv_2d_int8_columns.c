/* edgec: hot */
#include "edgec_conv_2d_int8_columns.h"

#include <stddef.h>

static void pixel(const edgec_conv_2d_int8_params *p, const int8_t *patch, int32_t group,
                  int8_t *out)
{
    /* the layer is the first member */
    edgec_columns columns = ((const edgec_conv_2d_int8_columns_params *)(const void *)p)->columns;
    const edgec_channel *c = p->channels;
    (void)group;
    for (int32_t left = p->out_ch; left > 0; left -= 4) {
        const int32_t rows = left < 4 ? left : 4;
        int32_t acc[4] = {0};
        edgec_columns_dot4(&columns, patch, acc);
        for (int32_t i = 0; i < rows; ++i, ++c) {
            *out++ = edgec_conv_2d_int8_finish(p, c, acc[i] + c->bias);
        }
    }
}

void edgec_conv_2d_int8_columns(const edgec_conv_2d_int8_columns_params *p, const int8_t *in,
                                int8_t *out, void *scratch)
{
    edgec_conv_2d_int8_windows(&p->layer, in, out, p->layer.out_ch, pixel, scratch);
}
