/* edgec: hot */
#include "edgec_svdf_int8.h"

#include <stddef.h>
#include <string.h>

#include "edgec_dot.h"
#include "edgec_requant.h"

/* One filter: puts the input's feature at the end of the memory, returns the memory's weighted
 * sum (which wraps, as TFLite's does) and makes room for the next feature. */
static uint32_t filter(const edgec_svdf_int8_params *p, int32_t f, const int8_t *in, int16_t *state)
{
    const int32_t last = p->memory - 1;
    const int16_t *time = p->time + f * p->memory;
    const int32_t feature =
        edgec_dot1(in, p->feature + f * p->in_size, p->in_size, p->feature_bias[f]);
    const int32_t v = edgec_requant_double(feature, p->state_multiplier, p->state_shift);
    uint32_t sum = 0;
    state[last] = (int16_t)edgec_clamp(v, INT16_MIN, INT16_MAX);
    for (int32_t m = 0; m <= last; ++m) {
        sum += (uint32_t)((int32_t)time[m] * state[m]);
    }
    memmove(state, state + 1, (size_t)last * sizeof(*state));
    return sum;
}

void edgec_svdf_int8(const edgec_svdf_int8_params *p, const int8_t *in, int16_t *state, int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size) {
        for (int32_t u = 0; u < p->units; ++u) {
            uint32_t sum = (uint32_t)p->bias[u];
            for (int32_t r = 0; r < p->rank; ++r, state += p->memory) {
                sum += filter(p, u * p->rank + r, in, state);
            }
            const int32_t v = edgec_requant_double((int32_t)sum, p->out_multiplier, p->out_shift);
            *out++ = (int8_t)edgec_clamp(v + p->out_zero_point, INT8_MIN, INT8_MAX);
        }
    }
}
