#ifndef EDGEC_COPY_H
#define EDGEC_COPY_H

#include <stdint.h>

typedef struct {
    /* Per move: input (-1: fill), output, first byte in input and output, bytes of one run,
     * count of loops; then per loop, outermost first: size, step in input and output, in bytes. */
    const int32_t *moves;
    const int8_t *fill; /* one element */
    int32_t count;
} edgec_copy_params;

/* Move values of any type between tensors, one move after the other. */
void edgec_copy(const edgec_copy_params *p, const void *const *in, void *const *out);

#endif
