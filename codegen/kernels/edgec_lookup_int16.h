/* Functions of int16 by linear interpolation between 513 entries. */
#ifndef EDGEC_LOOKUP_INT16_H
#define EDGEC_LOOKUP_INT16_H

#include <stdint.h>

typedef struct {
    const int16_t *table; /* (513): the function at every 128th input, from the least */
    int32_t size;
} edgec_lookup_int16_params;

static inline int16_t edgec_interpolate16(const int16_t *table, int32_t x)
{
    const int16_t *const entry = table + 256 + (x >> 7);
    const int16_t slope = (int16_t)(entry[1] - entry[0]);
    return (int16_t)(entry[0] + ((slope * (x & 127) + 64) >> 7));
}

/* in (size) -> out (size). */
void edgec_lookup_int16(const edgec_lookup_int16_params *p, const int16_t *in, int16_t *out);

#endif
