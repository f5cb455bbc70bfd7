#ifndef EDGEC_GATHER_H
#define EDGEC_GATHER_H

#include <stdint.h>

typedef struct {
    int32_t batches, outer, size, count;
    int32_t bytes; /* of one slice */
    int8_t wide;   /* 1: int64 indices, 0: int32 */
} edgec_gather_params;

/* in (batches, outer, size, bytes), indices (batches, count) -> out (batches, outer, count, bytes).
 * Indices below 0 or from size on count as the first or last. */
void edgec_gather(const edgec_gather_params *p, const void *in, const void *indices, void *out);

#endif
