/* edgec: hot */
#include "edgec_svdf_float32.h"

#include <stddef.h>
#include <string.h>

#include "edgec_clamp_float32.h"

static float dot(const float *a, const float *b, int32_t n)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < n; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

void edgec_svdf_float32(const edgec_svdf_float32_params *p, const float *in, float *state,
                        float *out)
{
    const int32_t last = p->memory - 1;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_size) {
        for (int32_t u = 0; u < p->units; ++u) {
            float sum = 0.0f;
            for (int32_t f = u * p->rank; f < (u + 1) * p->rank; ++f, state += p->memory) {
                state[last] = dot(in, p->feature + f * p->in_size, p->in_size);
                sum += dot(state, p->time + f * p->memory, p->memory);
                /* room for the next feature */
                memmove(state, state + 1, (size_t)last * sizeof(*state));
            }
            *out++ = edgec_clamp_float32(sum + p->bias[u], p->out_min, p->out_max);
        }
    }
}
