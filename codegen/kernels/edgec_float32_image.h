/* An image of float32, its border filled with zeros, as the vector kernels read it. */
#ifndef EDGEC_FLOAT32_IMAGE_H
#define EDGEC_FLOAT32_IMAGE_H

#include <stdint.h>

/* How the image lies in memory, and how windows slide over it: strip by strip. Distances are in
 * floats. */
typedef struct {
    int32_t batches, in_h, in_w, channels;
    int32_t pad_top, pad_left;
    int32_t width;            /* columns of the image, border included */
    int32_t out_h, out_w;     /* windows */
    int32_t stride_h, step;   /* rows, and floats, from one window to the next */
    int32_t reach;            /* rows of a window */
    int32_t strip_rows;       /* rows of windows for which the image is made at a time */
    int32_t direct;           /* whether the input is the image */
} edgec_float32_image;

#endif
