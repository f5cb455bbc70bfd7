#include "edgec_gather.h"

#include <stddef.h>
#include <string.h>

static int32_t index_at(const edgec_gather_params *p, const void *indices, int32_t at)
{
    const int64_t i = p->wide ? ((const int64_t *)indices)[at] : ((const int32_t *)indices)[at];
    return i < 0 ? 0 : i < p->size ? (int32_t)i : p->size - 1;
}

void edgec_gather(const edgec_gather_params *p, const void *in, const void *indices, void *out)
{
    const uint8_t *from = in;
    uint8_t *to = out;
    for (int32_t b = 0; b < p->batches; ++b) {
        for (int32_t o = 0; o < p->outer; ++o, from += p->size * p->bytes) {
            for (int32_t i = 0; i < p->count; ++i, to += p->bytes) {
                const int32_t index = index_at(p, indices, b * p->count + i);
                memcpy(to, from + index * p->bytes, (size_t)p->bytes);
            }
        }
    }
}
