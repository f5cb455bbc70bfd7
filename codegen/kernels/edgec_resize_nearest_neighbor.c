#include "edgec_resize_nearest_neighbor.h"

#include <stddef.h>
#include <string.h>

void edgec_resize_nearest_neighbor(const edgec_resize_nearest_neighbor_params *p, const void *in,
                                   void *out)
{
    const size_t bytes = (size_t)p->pixel_bytes;
    const uint8_t *image = in;
    uint8_t *to = out;
    for (int32_t b = 0; b < p->batches; ++b, image += (size_t)(p->in_h * p->in_w) * bytes) {
        for (int32_t y = 0; y < p->out_h; ++y) {
            const uint8_t *row = image + (size_t)(p->rows[y] * p->in_w) * bytes;
            for (int32_t x = 0; x < p->out_w; ++x, to += bytes) {
                memcpy(to, row + (size_t)p->columns[x] * bytes, bytes);
            }
        }
    }
}
