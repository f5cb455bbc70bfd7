/* Strips of a float32 image, and the windows that slide over them. */
#ifndef EDGEC_FLOAT32_STRIPS_H
#define EDGEC_FLOAT32_STRIPS_H

#include <stddef.h>

#include "edgec_float32_image.h"
#include "edgec_float32_vector.h"

/* Rows of windows, and the image that they slide over. */
typedef struct {
    const float *image;
    int32_t rows;
} edgec_float32_strip;

EDGEC_INLINE void edgec_float32_zeros(float *to, int32_t n)
{
    for (; n > 0; n -= EDGEC_LANES, to += EDGEC_LANES) {
        edgec_store_some(to, edgec_all(0.0f), n);
    }
}

EDGEC_INLINE void edgec_float32_copy(float *to, const float *from, int32_t n)
{
    for (; n >= EDGEC_LANES; n -= EDGEC_LANES, to += EDGEC_LANES, from += EDGEC_LANES) {
        edgec_store(to, edgec_load(from));
    }
    if (n > 0) {
        edgec_store_some(to, edgec_load_some(from, n), n);
    }
}

/* Write rows y .. y + rows of in (in_h, in_w, channels) to image (rows, width, channels). */
static void edgec_float32_rows(const edgec_float32_image *g, const float *in, int32_t y,
                               int32_t rows, float *image)
{
    const int32_t line = g->in_w * g->channels;
    const int32_t pitch = g->width * g->channels;
    const int32_t before = g->pad_left * g->channels;
    for (; rows > 0; --rows, ++y, image += pitch) {
        if (y < 0 || y >= g->in_h) {
            edgec_float32_zeros(image, pitch);
        } else {
            edgec_float32_zeros(image, before);
            edgec_float32_copy(image + before, in + (ptrdiff_t)y * line, line);
            edgec_float32_zeros(image + before + line, pitch - before - line);
        }
    }
}

/* The strip of windows that begins with row y of them; image is memory for it. */
static inline edgec_float32_strip edgec_float32_strip_at(const edgec_float32_image *g,
                                                         const float *in, int32_t y, float *image)
{
    const int32_t left = g->out_h - y;
    const int32_t top = y * g->stride_h - g->pad_top;
    edgec_float32_strip strip = {image, left < g->strip_rows ? left : g->strip_rows};
    if (g->direct != 0) {
        strip.image = in + (ptrdiff_t)top * g->in_w * g->channels;
    } else {
        edgec_float32_rows(g, in, top, (strip.rows - 1) * g->stride_h + g->reach, image);
    }
    return strip;
}

/* Windows in their order, from row to row of a strip. */
typedef struct {
    const float *at; /* of the window's first float */
    int32_t x;
    int32_t out_w, step, turn; /* `turn`: from behind a row to the next one's first window */
} edgec_float32_cursor;

static inline edgec_float32_cursor edgec_float32_windows(const edgec_float32_image *g,
                                                         const float *first)
{
    const int32_t pitch = g->width * g->channels;
    const edgec_float32_cursor c = {first, 0, g->out_w, g->step,
                                    g->stride_h * pitch - g->out_w * g->step};
    return c;
}

static inline const float *edgec_float32_next(edgec_float32_cursor *c)
{
    const float *const at = c->at;
    c->at += c->step;
    if (++c->x == c->out_w) {
        c->x = 0;
        c->at += c->turn;
    }
    return at;
}

#endif
