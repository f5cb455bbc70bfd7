#ifndef EDGEC_RESIZE_NEAREST_NEIGHBOR_H
#define EDGEC_RESIZE_NEAREST_NEIGHBOR_H

#include <stdint.h>

typedef struct {
    const int16_t *rows;    /* (out_h), input row of every output row */
    const int16_t *columns; /* (out_w) */
    int32_t batches, in_h, in_w, out_h, out_w, pixel_bytes;
} edgec_resize_nearest_neighbor_params;

/* in (batches, in_h, in_w, pixel) -> out (batches, out_h, out_w, pixel), values of any type. */
void edgec_resize_nearest_neighbor(const edgec_resize_nearest_neighbor_params *p, const void *in,
                                   void *out);

#endif
