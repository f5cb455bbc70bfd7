/* The body of the float32 dense layers by panels; EDGEC_PANEL is defined before this. */
#ifndef EDGEC_DENSE_FLOAT32_ROWS_H
#define EDGEC_DENSE_FLOAT32_ROWS_H

#include <stddef.h>

#include "edgec_fully_connected_float32_vector.h"
#include "edgec_panels_float32.h"

static inline void edgec_dense_float32_rows(const edgec_fully_connected_float32_vector *p,
                                            const float *in, float *out)
{
    const float *from[EDGEC_ROWS];
    edgec_tile_float32 tile = {from,       1,          p->in_size, p->weights,  p->bias,
                               p->out_min, p->out_max, NULL,       p->out_size, EDGEC_PANEL};
    for (int32_t c = 0; c < p->out_size; c += EDGEC_PANEL) {
        tile.width = p->out_size - c < EDGEC_PANEL ? p->out_size - c : EDGEC_PANEL;
        tile.out = out + c;
        int32_t row = 0;
        while (row < p->batches) {
            const int32_t rows = edgec_tile_next(p->batches - row);
            for (int32_t r = 0; r < rows; ++r) {
                from[r] = in + (row + r) * p->in_size;
            }
            edgec_tile(&tile, rows);
            tile.out += rows * p->out_size;
            row += rows;
        }
        tile.panel += p->in_size * EDGEC_PANEL;
        tile.bias += EDGEC_PANEL;
    }
}

#endif
