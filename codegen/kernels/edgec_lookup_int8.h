#ifndef EDGEC_LOOKUP_INT8_H
#define EDGEC_LOOKUP_INT8_H

#include <stdint.h>

typedef struct {
    const uint8_t *table; /* (256): output byte of every input byte */
    int32_t size;
} edgec_lookup_int8_params;

/* in (size) -> out (size), each int8 or uint8. */
void edgec_lookup_int8(const edgec_lookup_int8_params *p, const void *in, void *out);

#endif
