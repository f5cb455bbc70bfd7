/* Products of rows with a panel of EDGEC_PANEL columns, summed in registers.
 *
 * A panel holds its columns side by side: (depth, EDGEC_PANEL), what is over being zero. A row is
 * given in runs, so that it may be a window of an image. EDGEC_PANEL is defined before this. */
#ifndef EDGEC_PANELS_FLOAT32_H
#define EDGEC_PANELS_FLOAT32_H

#include <stddef.h>

#include "edgec_float32_vector.h"

#define EDGEC_PARTS (EDGEC_PANEL / EDGEC_LANES)

/* How many rows at a time: as many sums as there are registers for. */
#if EDGEC_PANEL == 16 && EDGEC_LANES == 8
#define EDGEC_ROWS 6
#elif defined(__arm__)
#define EDGEC_ROWS 4
#else
#define EDGEC_ROWS 8
#endif

/* What tiles of up to EDGEC_ROWS rows are computed from. */
typedef struct {
    int32_t runs_h, runs_w, run; /* a row's runs, and how long each is */
    int32_t run_h, run_w;        /* from a run to the one below and to the one at its right */
    const float *panel;          /* (runs_h, runs_w, run, EDGEC_PANEL) */
    const float *bias;           /* (EDGEC_PANEL), or null */
    float low, high;
    int32_t pitch, width; /* of the output: from row to row, and its columns */
} edgec_tile_float32;

/* Some rows of sums, clamped: `pitch` floats from row to row. */
EDGEC_INLINE void edgec_tile_store(const edgec_tile_float32 *t, const int rows,
                                   edgec_vector sum[EDGEC_ROWS][EDGEC_PARTS], float *out,
                                   int32_t pitch)
{
    const edgec_vector low = edgec_all(t->low);
    const edgec_vector high = edgec_all(t->high);
    EDGEC_UNROLL for (int r = 0; r < rows; ++r)
    {
        EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
        {
            edgec_store(out + r * pitch + i * EDGEC_LANES,
                        edgec_smaller(edgec_larger(sum[r][i], low), high));
        }
    }
}

/* Add the products of one run. */
EDGEC_INLINE void edgec_tile_run(const float *const *from, ptrdiff_t at, int32_t run,
                                 const float *panel, const int rows,
                                 edgec_vector sum[EDGEC_ROWS][EDGEC_PARTS])
{
    const float *a[EDGEC_ROWS];
    EDGEC_UNROLL for (int r = 0; r < rows; ++r)
    {
        a[r] = from[r] + at;
    }
    for (int32_t k = 0; k < run; ++k, panel += EDGEC_PANEL) {
        edgec_vector part[EDGEC_PARTS];
        EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
        {
            part[i] = edgec_load(panel + i * EDGEC_LANES);
        }
        EDGEC_UNROLL for (int r = 0; r < rows; ++r)
        {
            const edgec_vector x = edgec_all(a[r][k]);
            EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
            {
                sum[r][i] = edgec_multiply_add(x, part[i], sum[r][i]);
            }
        }
    }
}

EDGEC_INLINE void edgec_tile_rows(const edgec_tile_float32 *t, const float *const *from,
                                  const int rows, float *out)
{
    edgec_vector sum[EDGEC_ROWS][EDGEC_PARTS];
    EDGEC_UNROLL for (int r = 0; r < rows; ++r)
    {
        EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
        {
            sum[r][i] = t->bias != NULL ? edgec_load(t->bias + i * EDGEC_LANES) : edgec_all(0.0f);
        }
    }
    const float *panel = t->panel;
    for (int32_t y = 0; y < t->runs_h; ++y) {
        for (int32_t x = 0; x < t->runs_w; ++x, panel += t->run * EDGEC_PANEL) {
            edgec_tile_run(from, y * t->run_h + x * t->run_w, t->run, panel, rows, sum);
        }
    }
    if (t->width == EDGEC_PANEL) {
        edgec_tile_store(t, rows, sum, out, t->pitch);
        return;
    }
    float whole[EDGEC_ROWS * EDGEC_PANEL];
    edgec_tile_store(t, rows, sum, whole, EDGEC_PANEL);
    for (int r = 0; r < rows; ++r, out += t->pitch) {
        memcpy(out, whole + r * EDGEC_PANEL, (size_t)t->width * sizeof *out);
    }
}

/* Compute a tile of 1 to EDGEC_ROWS rows, which begin at `from`. */
static void edgec_tile(const edgec_tile_float32 *t, const float *const *from, int32_t rows,
                       float *out)
{
    switch (rows) {
    case 1:
        edgec_tile_rows(t, from, 1, out);
        break;
    case 2:
        edgec_tile_rows(t, from, 2, out);
        break;
    case 3:
        edgec_tile_rows(t, from, 3, out);
        break;
#if EDGEC_ROWS > 4
    case 4:
        edgec_tile_rows(t, from, 4, out);
        break;
    case 5:
        edgec_tile_rows(t, from, 5, out);
        break;
#endif
#if EDGEC_ROWS > 6
    case 6:
        edgec_tile_rows(t, from, 6, out);
        break;
    case 7:
        edgec_tile_rows(t, from, 7, out);
        break;
#endif
    default:
        edgec_tile_rows(t, from, EDGEC_ROWS, out);
        break;
    }
}

/* How many rows the next tile takes of those left: as evenly as can be. */
static inline int32_t edgec_tile_next(int32_t left)
{
    const int32_t tiles = (left + EDGEC_ROWS - 1) / EDGEC_ROWS;
    return (left + tiles - 1) / tiles;
}

#endif
