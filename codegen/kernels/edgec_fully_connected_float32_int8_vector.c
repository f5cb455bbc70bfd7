/* edgec: hot */
#if defined(__GNUC__) && !defined(__clang__)
/* What GCC's elimination of partial redundancies does here is copy all sums twice a turn. */
#pragma GCC optimize("no-tree-pre")
#endif

#include "edgec_fully_connected_float32_int8_vector.h"

typedef edgec_fully_connected_float32_int8_vector_params params;

/* Rows of integers, and how they are scaled. */
typedef struct {
    const uint8_t *values;
    const edgec_row_scale *scales;
} row_cursor;

/* Some rows by some sets of channels, from `block` on. */
EDGEC_INLINE void tile(const params *p, const row_cursor *at, const int32_t rows,
                       const int32_t sets, int32_t block, float *out)
{
    edgec_set sums[16];
    const uint8_t *px[8];
    const int32_t apart = 4 * EDGEC_LANES * p->quad_count;
    const int32_t first = block * EDGEC_LANES;
    EDGEC_UNROLL
    for (int32_t r = 0; r < rows; ++r) {
        /* What flipping the sign bit adds to every input counts as part of the zero point. */
        const int32_t zero_point = at->scales[r].zero_point + EDGEC_FLIP;
        px[r] = at->values + (ptrdiff_t)r * 4 * p->quad_count;
        EDGEC_UNROLL
        for (int32_t s = 0; s < sets; ++s) {
            sums[r * sets + s] =
                edgec_set_times(p->row_sums + first + s * EDGEC_LANES, -zero_point);
        }
    }
    edgec_tile_sums(rows, sets, px, p->quads, p->quad_count, p->weights + (ptrdiff_t)block * apart,
                    apart, sums);
    EDGEC_UNROLL
    for (int32_t r = 0; r < rows; ++r) {
        EDGEC_UNROLL
        for (int32_t s = 0; s < sets; ++s) {
            const int32_t c = first + s * EDGEC_LANES;
            edgec_set_store_real(&sums[r * sets + s], at->scales[r].scale, p->scales + c,
                                 p->bias + c, &p->ends, out + r * p->out_size + c, p->out_size - c);
        }
    }
}

EDGEC_INLINE void advance(const params *p, row_cursor *at, int32_t rows, float **out)
{
    at->values += (ptrdiff_t)rows * 4 * p->quad_count;
    at->scales += rows;
    *out += (ptrdiff_t)rows * p->out_size;
}

/* A function for each number of sets: a strip's rows, in tiles of as many as there are. */
#define SWEEP(SETS, MOST) \
    static void sweep_##SETS##_##MOST(const params *p, row_cursor at, int32_t rows, int32_t block, \
                                      float *out) \
    { \
        for (; (MOST) >= 8 && rows >= 8; rows -= 8, advance(p, &at, 8, &out)) { \
            tile(p, &at, 8, SETS, block, out); \
        } \
        for (; (MOST) >= 4 && rows >= 4; rows -= 4, advance(p, &at, 4, &out)) { \
            tile(p, &at, 4, SETS, block, out); \
        } \
        for (; (MOST) >= 2 && rows >= 2; rows -= 2, advance(p, &at, 2, &out)) { \
            tile(p, &at, 2, SETS, block, out); \
        } \
        for (; rows > 0; --rows, advance(p, &at, 1, &out)) { \
            tile(p, &at, 1, SETS, block, out); \
        } \
    }

EDGEC_SWEEPS(SWEEP)

/* Channels are the outer loop: weights come from memory once a strip. */
static void strip(const params *p, const row_cursor *at, int32_t rows, float *out)
{
    const int32_t blocks = (p->out_size + EDGEC_LANES - 1) / EDGEC_LANES;
    int32_t b = 0;
#define RUN(SETS, MOST) \
    for (; b + (SETS) <= blocks && ((MOST) > 1 || rows < EDGEC_PIXELS); b += (SETS)) { \
        sweep_##SETS##_##MOST(p, *at, rows, b, out); \
    }
    EDGEC_SWEEPS(RUN)
}

void edgec_fully_connected_float32_int8_vector(
    const edgec_fully_connected_float32_int8_vector_params *p, const float *in, float *out,
    void *scratch)
{
    edgec_row_scale *const scales = scratch;
    int8_t *const values = (int8_t *)(scales + p->strip_rows);
    const int32_t pitch = 4 * p->quad_count;
    const row_cursor at = {(const uint8_t *)values, scales};
    for (int32_t b = 0; b < p->batches; b += p->strip_rows) {
        const int32_t left = p->batches - b;
        const int32_t rows = left < p->strip_rows ? left : p->strip_rows;
        edgec_quantized_rows_vector(in, rows, p->in_size, p->asymmetric, pitch, values, scales);
        if (EDGEC_FLIP) {
            edgec_flip_copy((uint8_t *)values, values, rows * pitch);
        }
        strip(p, &at, rows, out);
        in += (ptrdiff_t)rows * p->in_size;
        out += (ptrdiff_t)rows * p->out_size;
    }
}
