/* edgec: hot */
#include "edgec_lookup_int16.h"

void edgec_lookup_int16(const edgec_lookup_int16_params *p, const int16_t *in, int16_t *out)
{
    const int16_t *const table = p->table;
    for (int32_t i = p->size; i > 0; --i) {
        *out++ = edgec_interpolate16(table, *in++);
    }
}
