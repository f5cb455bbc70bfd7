/* edgec: hot */
#include "edgec_sum_int8_vector.h"

#include "edgec_vector_pool.h"

void edgec_sum_int8_vector(const edgec_sum_int8_vector_params *p, const int8_t *in, int8_t *out)
{
    const edgec_channels16 *scale = (const edgec_channels16 *)(const void *)p->scale;
    const edgec_set start = edgec_set_all(scale->start[0]);
    for (int32_t b = 0; b < p->batches; ++b, out += p->channels) {
        for (int32_t next = 0; next < p->channels; next += EDGEC_LANES) {
            const int32_t c = edgec_set_begin(next, p->channels);
            edgec_set sum = edgec_pixels_sum(in + c, 1, p->pixels, p->channels, 0, start);
            sum = edgec_set_rescale(sum, scale, 0);
            edgec_sets_store(1, 1, &sum, &p->ends, out + c, 0, EDGEC_LANES);
        }
        in += (ptrdiff_t)p->pixels * p->channels;
    }
}
