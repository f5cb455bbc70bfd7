/* Products of rows with a panel of EDGEC_PANEL columns, summed in registers.
 *
 * A panel holds its columns side by side: (depth, EDGEC_PANEL), what is over being zero. A row is
 * given in runs, so that it may be a window of an image. EDGEC_PANEL is defined before this. */
#ifndef EDGEC_PANELS_FLOAT32_H
#define EDGEC_PANELS_FLOAT32_H

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

/* What a tile of up to EDGEC_ROWS rows is computed from. */
typedef struct {
    const float *const *from; /* (runs, EDGEC_ROWS): where each run of each row begins */
    int32_t runs, run;        /* how many, and how long */
    const float *panel;       /* (runs * run, EDGEC_PANEL) */
    const float *bias;        /* (EDGEC_PANEL), or null */
    float low, high;
    float *out; /* row by row, `step` apart, `width` columns each */
    int32_t step, width;
} edgec_tile_float32;

EDGEC_INLINE void edgec_tile_store(const edgec_tile_float32 *t, const edgec_vector *sum, float *out)
{
    const edgec_vector low = edgec_all(t->low);
    const edgec_vector high = edgec_all(t->high);
    if (t->width == EDGEC_PANEL) {
        EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
        {
            edgec_store(out + i * EDGEC_LANES, edgec_smaller(edgec_larger(sum[i], low), high));
        }
        return;
    }
    float row[EDGEC_PANEL];
    EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
    {
        edgec_store(row + i * EDGEC_LANES, edgec_smaller(edgec_larger(sum[i], low), high));
    }
    memcpy(out, row, (size_t)t->width * sizeof *row);
}

EDGEC_INLINE void edgec_tile_rows(const edgec_tile_float32 *t, const int rows)
{
    edgec_vector sum[EDGEC_ROWS][EDGEC_PARTS];
    EDGEC_UNROLL for (int r = 0; r < rows; ++r)
    {
        EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
        {
            sum[r][i] = t->bias != NULL ? edgec_load(t->bias + i * EDGEC_LANES) : edgec_all(0.0f);
        }
    }
    const float *b = t->panel;
    for (int32_t n = 0; n < t->runs; ++n) {
        const float *a[EDGEC_ROWS];
        EDGEC_UNROLL for (int r = 0; r < rows; ++r)
        {
            a[r] = t->from[n * EDGEC_ROWS + r];
        }
        for (int32_t k = 0; k < t->run; ++k, b += EDGEC_PANEL) {
            edgec_vector part[EDGEC_PARTS];
            EDGEC_UNROLL for (int i = 0; i < EDGEC_PARTS; ++i)
            {
                part[i] = edgec_load(b + i * EDGEC_LANES);
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
    EDGEC_UNROLL for (int r = 0; r < rows; ++r)
    {
        edgec_tile_store(t, sum[r], t->out + r * t->step);
    }
}

/* Compute a tile of 1 to EDGEC_ROWS rows. */
static void edgec_tile(const edgec_tile_float32 *t, int32_t rows)
{
    switch (rows) {
    case 1:
        edgec_tile_rows(t, 1);
        break;
    case 2:
        edgec_tile_rows(t, 2);
        break;
    case 3:
        edgec_tile_rows(t, 3);
        break;
#if EDGEC_ROWS > 4
    case 4:
        edgec_tile_rows(t, 4);
        break;
    case 5:
        edgec_tile_rows(t, 5);
        break;
#endif
#if EDGEC_ROWS > 6
    case 6:
        edgec_tile_rows(t, 6);
        break;
    case 7:
        edgec_tile_rows(t, 7);
        break;
#endif
    default:
        edgec_tile_rows(t, EDGEC_ROWS);
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
