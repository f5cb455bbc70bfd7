/* Dense int8 products, with vectors: pixels by channels, in tiles. */
#ifndef EDGEC_VECTOR_PRODUCTS_H
#define EDGEC_VECTOR_PRODUCTS_H

#include "edgec_vector_image.h"

/* An output pixel is the products of `quads`, which are offsets in the image, by the weights. */
typedef struct {
    edgec_image image;
    const int8_t *weights;    /* (out_ch / 16, quad_count, 16, 4) */
    const int32_t *channels;  /* (out_ch / 16, edgec_channels16) */
    const int32_t *quads;     /* offset of every four bytes from a pixel's first */
    int32_t quad_count;
    int32_t batches, out_h, out_w, out_ch;
    int32_t stride_h, pixel_bytes; /* from one output pixel to the next, in the image */
    int32_t pad_top, reach;        /* `reach`: rows of a window */
    int32_t strip_rows;            /* output rows for which the image is made at a time */
    int32_t direct;                /* whether the input can be the image, if no bit is flipped */
    edgec_ends ends;
} edgec_vector_rows;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch); scratch: the image. */
void edgec_vector_products(const edgec_vector_rows *r, const int8_t *in, int8_t *out,
                           void *scratch);

#endif
