/* Rows of an image, its border filled in, as the vector kernels read them. */
#ifndef EDGEC_VECTOR_IMAGE_H
#define EDGEC_VECTOR_IMAGE_H

#include "edgec_vector.h"

/* Columns are dealt to `planes` in turn, each plane's contiguous: with as many as the stride is
 * wide, the pixels that one tap of neighbouring windows meets lie side by side. */
typedef struct {
    int32_t in_h, in_w, channels;
    int32_t pad_left;
    int32_t width; /* columns of the image, border included; a multiple of `planes` */
    int32_t planes;
    int32_t zero_point;
} edgec_image;

/* Write rows y .. y + rows of in (in_h, in_w, channels) to image (rows, planes, columns, channels).
 * EDGEC_SLACK bytes more may be written. */
EDGEC_INLINE void edgec_image_rows(const edgec_image *g, const int8_t *in, int32_t y, int32_t rows,
                                   uint8_t *image)
{
    const int32_t c = g->channels;
    const int32_t line = g->in_w * c;
    const int32_t pitch = g->width * c;
    const int32_t zero = (uint8_t)g->zero_point ^ EDGEC_FLIP;
    if (pitch == line && y >= 0 && y + rows <= g->in_h && g->planes == 1) {
        edgec_flip_copy(image, in + (ptrdiff_t)y * line, rows * line);
        return;
    }
    for (; rows > 0; --rows, ++y, image += pitch) {
        const int8_t *from = in + (ptrdiff_t)y * line;
        if (y < 0 || y >= g->in_h) {
            edgec_fill(image, zero, pitch);
        } else if (g->planes == 1) {
            const int32_t before = g->pad_left * c;
            edgec_fill(image, zero, before);
            edgec_flip_copy(image + before, from, line);
            edgec_fill(image + before + line, zero, pitch - before - line);
        } else {
            uint8_t *to = image;
            for (int32_t plane = 0; plane < g->planes; ++plane) {
                for (int32_t x = plane - g->pad_left; x < g->width - g->pad_left;
                     x += g->planes, to += c) {
                    if (x >= 0 && x < g->in_w) {
                        edgec_flip_copy(to, from + x * c, c);
                    } else {
                        edgec_fill(to, zero, c);
                    }
                }
            }
        }
    }
}

#endif
