/* Which input pixels reach one pixel of a transposed convolution's output. */
#ifndef EDGEC_TRANSPOSE_CONV_H
#define EDGEC_TRANSPOSE_CONV_H

#include <stdint.h>

/* Along one axis: input positions first .. end - 1; the first meets the filter at `tap`, each
 * further one a stride before. */
typedef struct {
    int32_t first, end, tap;
} edgec_reach;

/* `at` is the output position plus the padding before it. */
static inline edgec_reach edgec_reach_of(int32_t at, int32_t kernel, int32_t stride, int32_t in)
{
    edgec_reach r;
    r.first = at < kernel ? 0 : (at - kernel) / stride + 1;
    r.end = at / stride + 1;
    r.end = r.end < in ? r.end : in;
    r.tap = at - r.first * stride;
    return r;
}

#endif
