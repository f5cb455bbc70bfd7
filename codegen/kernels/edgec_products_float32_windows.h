/* The body of the float32 products by panels; EDGEC_PANEL is defined before this. */
#ifndef EDGEC_PRODUCTS_FLOAT32_WINDOWS_H
#define EDGEC_PRODUCTS_FLOAT32_WINDOWS_H

#include "edgec_float32_strips.h"
#include "edgec_panels_float32.h"
#include "edgec_products_float32_vector.h"

/* All windows of a strip by all panels. */
static inline void edgec_strip_products(const edgec_products_float32_vector *p,
                                        const edgec_float32_strip *strip, float *out)
{
    edgec_tile_float32 tile = {p->runs_h, p->runs_w,  p->run,     p->run_h,  p->run_w, p->weights,
                               p->bias,   p->out_min, p->out_max, p->out_ch, 0};
    for (int32_t c = 0; c < p->out_ch; c += EDGEC_PANEL) {
        edgec_float32_cursor windows = edgec_float32_windows(&p->image, strip->image);
        float *to = out + c;
        tile.width = p->out_ch - c < EDGEC_PANEL ? p->out_ch - c : EDGEC_PANEL;
        for (int32_t left = strip->rows * p->image.out_w; left > 0;) {
            const float *from[EDGEC_ROWS];
            const int32_t rows = edgec_tile_next(left);
            for (int32_t r = 0; r < rows; ++r) {
                from[r] = edgec_float32_next(&windows);
            }
            edgec_tile(&tile, from, rows, to);
            to += (ptrdiff_t)rows * p->out_ch;
            left -= rows;
        }
        tile.panel += p->runs_h * p->runs_w * p->run * EDGEC_PANEL;
        tile.bias += EDGEC_PANEL;
    }
}

static inline void edgec_products_float32(const edgec_products_float32_vector *p, const float *in,
                                          float *out, void *scratch)
{
    const edgec_float32_image *g = &p->image;
    for (int32_t b = 0; b < g->batches; ++b, in += (ptrdiff_t)g->in_h * g->in_w * g->channels) {
        for (int32_t y = 0; y < g->out_h; y += g->strip_rows) {
            const edgec_float32_strip strip = edgec_float32_strip_at(g, in, y, scratch);
            edgec_strip_products(p, &strip, out);
            out += (ptrdiff_t)strip.rows * g->out_w * p->out_ch;
        }
    }
}

#endif
