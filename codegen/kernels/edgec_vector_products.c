/* edgec: hot */
#include "edgec_vector_products.h"

/* Output pixels in their order, from row to row of a strip. */
typedef struct {
    const uint8_t *at; /* first byte of the window */
    int32_t x;
    int32_t out_w, pixel_bytes, turn; /* `turn`: from behind a row to the next one's first window */
} cursor;

EDGEC_INLINE const uint8_t *next_window(cursor *c)
{
    const uint8_t *const at = c->at;
    c->at += c->pixel_bytes;
    if (++c->x == c->out_w) {
        c->x = 0;
        c->at += c->turn;
    }
    return at;
}

/* All pixels' channels of some sets, from `block` on. */
EDGEC_INLINE void tile(const edgec_vector_rows *r, cursor *at, const int32_t pixels,
                       const int32_t sets, int32_t block, int8_t *out)
{
    edgec_set sums[16];
    const uint8_t *px[8];
    const edgec_channels16 *c = (const edgec_channels16 *)(const void *)r->channels + block;
    const int32_t apart = 4 * EDGEC_LANES * r->quad_count;
    const int32_t left = r->out_ch - block * EDGEC_LANES;
    EDGEC_UNROLL
    for (int32_t p = 0; p < pixels; ++p) {
        px[p] = next_window(at);
    }
    EDGEC_UNROLL
    for (int32_t i = 0; i < pixels * sets; ++i) {
        sums[i] = edgec_set_start(c + i % sets);
    }
    edgec_tile_sums(pixels, sets, px, r->quads, r->quad_count,
                    r->weights + (ptrdiff_t)block * apart, apart, sums);
    EDGEC_UNROLL
    for (int32_t i = 0; i < pixels * sets; ++i) {
        sums[i] = edgec_set_rescale(sums[i], c + i % sets, r->ends.single_rounding);
    }
    edgec_sets_store(pixels, sets, sums, &r->ends, out, r->out_ch,
                     left < sets * EDGEC_LANES ? left : sets * EDGEC_LANES);
}

/* A function for each number of sets: a strip's pixels, in tiles of as many as there are. */
#define SWEEP(SETS, MOST) \
    static void sweep_##SETS##_##MOST(const edgec_vector_rows *r, cursor at, int32_t pixels, \
                                      int32_t block, int8_t *out) \
    { \
        for (; (MOST) >= 8 && pixels >= 8; pixels -= 8, out += 8 * r->out_ch) { \
            tile(r, &at, 8, SETS, block, out); \
        } \
        for (; (MOST) >= 4 && pixels >= 4; pixels -= 4, out += 4 * r->out_ch) { \
            tile(r, &at, 4, SETS, block, out); \
        } \
        for (; (MOST) >= 2 && pixels >= 2; pixels -= 2, out += 2 * r->out_ch) { \
            tile(r, &at, 2, SETS, block, out); \
        } \
        for (; pixels > 0; --pixels, out += r->out_ch) { \
            tile(r, &at, 1, SETS, block, out); \
        } \
    }

EDGEC_SWEEPS(SWEEP)

static void strip(const edgec_vector_rows *r, const uint8_t *image, int32_t rows, int8_t *out)
{
    const int32_t pitch = r->image.width * r->image.channels;
    const int32_t pixels = rows * r->out_w;
    const int32_t blocks = (r->out_ch + EDGEC_LANES - 1) / EDGEC_LANES;
    const cursor at = {image, 0, r->out_w, r->pixel_bytes,
                       r->stride_h * pitch - r->out_w * r->pixel_bytes};
    int32_t b = 0;
#define RUN(SETS, MOST) \
    for (; b + (SETS) <= blocks && ((MOST) > 1 || pixels < EDGEC_PIXELS); b += (SETS)) { \
        sweep_##SETS##_##MOST(r, at, pixels, b, out + b * EDGEC_LANES); \
    }
    EDGEC_SWEEPS(RUN)
}

void edgec_vector_products(const edgec_vector_rows *r, const int8_t *in, int8_t *out, void *scratch)
{
    const edgec_image *g = &r->image;
    const int32_t line = g->in_w * g->channels;
    for (int32_t b = 0; b < r->batches; ++b, in += (ptrdiff_t)g->in_h * line) {
        for (int32_t y = 0; y < r->out_h; y += r->strip_rows) {
            const int32_t left = r->out_h - y;
            const int32_t rows = left < r->strip_rows ? left : r->strip_rows;
            const int32_t top = y * r->stride_h - r->pad_top;
            if (EDGEC_FLIP == 0 && r->direct) {
                strip(r, (const uint8_t *)in + (ptrdiff_t)top * line, rows, out);
            } else {
                edgec_image_rows(g, in, top, (rows - 1) * r->stride_h + r->reach, scratch);
                strip(r, scratch, rows, out);
            }
            out += (ptrdiff_t)rows * r->out_w * r->out_ch;
        }
    }
}
