/* The body of the float32 convolutions by panels; EDGEC_PANEL is defined before this. */
#ifndef EDGEC_CONV_2D_FLOAT32_WINDOWS_H
#define EDGEC_CONV_2D_FLOAT32_WINDOWS_H

#include <stddef.h>

#include "edgec_conv_2d_float32_vector.h"
#include "edgec_panels_float32.h"

/* Working memory: where the runs of a tile begin, a run of zeros, and copies of runs that the
 * border cuts. */
typedef struct {
    const float **from; /* (runs_h, runs_w, EDGEC_ROWS) */
    float *zeros;       /* (run) */
    float *copies;      /* (EDGEC_ROWS, runs_h, run) */
} edgec_windows_float32;

/* A run of which the left or the right border cuts some columns off. */
static inline const float *edgec_cut_run(const edgec_conv_2d_float32_vector *p, const float *row,
                                         int32_t x, float *copy)
{
    const int32_t first = x < 0 ? -x : 0;
    const int32_t end = x + p->taps_w > p->in_w ? p->in_w - x : p->taps_w;
    memset(copy, 0, (size_t)p->run * sizeof *copy);
    if (end > first) {
        memcpy(copy + first * p->in_ch, row + (x + first) * p->in_ch,
               (size_t)((end - first) * p->in_ch) * sizeof *copy);
    }
    return copy;
}

/* Find the runs of one output at (oy, ox), the tile's number r. */
static inline void edgec_find_runs(const edgec_conv_2d_float32_vector *p, const float *in,
                                   int32_t oy, int32_t ox, int32_t r,
                                   const edgec_windows_float32 *w)
{
    const float **from = w->from + r;
    float *copy = w->copies + r * p->runs_h * p->run;
    int32_t y = oy * p->stride_h - p->pad_top;
    for (int32_t i = 0; i < p->runs_h; ++i, y += p->dilation_h, copy += p->run) {
        const float *row = in + y * p->in_w * p->in_ch;
        int32_t x = ox * p->stride_w - p->pad_left;
        for (int32_t j = 0; j < p->runs_w; ++j, x += p->dilation_w, from += EDGEC_ROWS) {
            const int inside = x >= 0 && x + p->taps_w <= p->in_w;
            if (y < 0 || y >= p->in_h || (p->taps_w == 1 && !inside)) {
                *from = w->zeros;
            } else {
                *from = inside ? row + x * p->in_ch : edgec_cut_run(p, row, x, copy);
            }
        }
    }
}

static inline void edgec_tile_runs(const edgec_conv_2d_float32_vector *p, const float *in,
                                   int32_t pixel, int32_t rows, const edgec_windows_float32 *w)
{
    if (p->pointwise != 0) {
        for (int32_t r = 0; r < rows; ++r) {
            w->from[r] = in + (pixel + r) * p->in_ch;
        }
        return;
    }
    int32_t oy = pixel / p->out_w;
    int32_t ox = pixel % p->out_w;
    for (int32_t r = 0; r < rows; ++r) {
        edgec_find_runs(p, in, oy, ox, r, w);
        if (++ox == p->out_w) {
            ox = 0;
            ++oy;
        }
    }
}

static inline void edgec_conv_2d_float32_windows(const edgec_conv_2d_float32_vector *p,
                                                 const float *in, float *out, void *scratch)
{
    const int32_t runs = p->runs_h * p->runs_w;
    const int32_t pixels = p->out_h * p->out_w;
    edgec_windows_float32 w;
    w.from = scratch;
    w.zeros = (float *)(void *)(w.from + runs * EDGEC_ROWS);
    w.copies = w.zeros + p->run;
    if (p->pointwise == 0) {
        memset(w.zeros, 0, (size_t)p->run * sizeof *w.zeros);
    }
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->in_ch) {
        edgec_tile_float32 tile = {(const float *const *)w.from,
                                   runs,
                                   p->run,
                                   p->weights,
                                   p->bias,
                                   p->out_min,
                                   p->out_max,
                                   NULL,
                                   p->out_ch,
                                   EDGEC_PANEL};
        for (int32_t c = 0; c < p->out_ch; c += EDGEC_PANEL) {
            tile.width = p->out_ch - c < EDGEC_PANEL ? p->out_ch - c : EDGEC_PANEL;
            tile.out = out + c;
            int32_t pixel = 0;
            while (pixel < pixels) {
                const int32_t rows = edgec_tile_next(pixels - pixel);
                edgec_tile_runs(p, in, pixel, rows, &w);
                edgec_tile(&tile, rows);
                tile.out += rows * p->out_ch;
                pixel += rows;
            }
            tile.panel += runs * p->run * EDGEC_PANEL;
            tile.bias += EDGEC_PANEL;
        }
        out += pixels * p->out_ch;
    }
}

#endif
