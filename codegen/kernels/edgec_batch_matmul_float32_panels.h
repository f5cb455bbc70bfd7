/* The body of the float32 matrix products by panels; EDGEC_PANEL is defined before this. */
#ifndef EDGEC_BATCH_MATMUL_FLOAT32_PANELS_H
#define EDGEC_BATCH_MATMUL_FLOAT32_PANELS_H

#include <float.h>
#include <stddef.h>

#include "edgec_batch_matmul_float32.h"
#include "edgec_panels_float32.h"

/* Put up to EDGEC_PANEL columns of a matrix side by side, zeros for what is over. */
static inline void edgec_gather_panel(const edgec_batch_matmul_float32_params *p, const float *in,
                                      int32_t width, float *panel)
{
    if (p->column2 == 1 && width == EDGEC_PANEL) {
        for (int32_t k = 0; k < p->depth; ++k, in += p->depth2, panel += EDGEC_PANEL) {
            memcpy(panel, in, EDGEC_PANEL * sizeof *panel);
        }
        return;
    }
    if (width < EDGEC_PANEL) {
        memset(panel, 0, (size_t)(p->depth * EDGEC_PANEL) * sizeof *panel);
    }
    for (int32_t k = 0; k < p->depth; ++k, in += p->depth2, panel += EDGEC_PANEL) {
        const float *from = in;
        for (int32_t c = 0; c < width; ++c, from += p->column2) {
            panel[c] = *from;
        }
    }
}

static inline void edgec_multiply_panels(const edgec_batch_matmul_float32_params *p,
                                         const float *in1, const float *in2, float *out,
                                         float *panel)
{
    edgec_tile_float32 tile = {1, 1, p->depth, 0, 0, panel, NULL, -FLT_MAX, FLT_MAX, p->columns, 0};
    for (int32_t c = 0; c < p->columns; c += EDGEC_PANEL) {
        tile.width = p->columns - c < EDGEC_PANEL ? p->columns - c : EDGEC_PANEL;
        edgec_gather_panel(p, in2 + c * p->column2, tile.width, panel);
        int32_t row = 0;
        while (row < p->rows) {
            const float *from[EDGEC_ROWS];
            const int32_t rows = edgec_tile_next(p->rows - row);
            for (int32_t r = 0; r < rows; ++r) {
                from[r] = in1 + (row + r) * p->row1;
            }
            edgec_tile(&tile, from, rows, out + row * p->columns + c);
            row += rows;
        }
    }
}

static inline void edgec_batch_matmul_float32_panels(const edgec_batch_matmul_float32_params *p,
                                                     const float *in1, const float *in2, float *out,
                                                     void *scratch)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        for (int32_t i = 0; i < b->size[5]; ++i) {
            edgec_multiply_panels(p, in1 + c.at1 + i * b->step1[5], in2 + c.at2 + i * b->step2[5],
                                  out, scratch);
            out += p->rows * p->columns;
        }
    } while (edgec_broadcast_next(b, &c));
}

#endif
