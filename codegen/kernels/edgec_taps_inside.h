/* Which taps of a window lie inside the image, along one axis of it. */
#ifndef EDGEC_TAPS_INSIDE_H
#define EDGEC_TAPS_INSIDE_H

#include <stdint.h>

/* The first tap inside, of a window that begins at `start`. */
static inline int32_t edgec_first_inside(int32_t start, int32_t dilation)
{
    return start < 0 ? (-start + dilation - 1) / dilation : 0;
}

/* One past the last tap inside, of `kernel` taps over an image of `size`. */
static inline int32_t edgec_end_inside(int32_t start, int32_t dilation, int32_t kernel,
                                       int32_t size)
{
    const int32_t end = start < size ? (size - start + dilation - 1) / dilation : 0;
    return end < kernel ? end : kernel;
}

#endif
