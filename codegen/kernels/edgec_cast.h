#ifndef EDGEC_CAST_H
#define EDGEC_CAST_H

#include <stdint.h>

/* Element types; a bool is a byte that is 0 or 1. */
enum {
    EDGEC_CAST_INT8,
    EDGEC_CAST_UINT8,
    EDGEC_CAST_INT16,
    EDGEC_CAST_INT32,
    EDGEC_CAST_FLOAT32,
    EDGEC_CAST_BOOL
};

typedef struct {
    int32_t size;
    int32_t low, high; /* range of an integer output, which float32 saturates to */
    uint8_t from, to;
} edgec_cast_params;

/* in (size) of type `from` -> out (size) of type `to`; integers wrap, float32 is truncated. */
void edgec_cast(const edgec_cast_params *p, const void *in, void *out);

#endif
