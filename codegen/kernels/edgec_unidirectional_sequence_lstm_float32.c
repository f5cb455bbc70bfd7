/* edgec: hot */
#include "edgec_unidirectional_sequence_lstm_float32.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "edgec_clamp_float32.h"

typedef edgec_unidirectional_sequence_lstm_float32_params params;

enum { INPUT_GATE, FORGET_GATE, CELL_GATE, OUTPUT_GATE };

static float dot(const float *a, const float *b, int32_t n, float sum)
{
    for (int32_t i = 0; i < n; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

static float gate(const params *p, int32_t g, int32_t unit, const float *in, const float *state)
{
    const int32_t row = g * p->units + unit;
    const float fresh = dot(in, p->weights + row * p->in_size, p->in_size, p->bias[row]);
    return dot(state, p->recurrent + row * p->units, p->units, fresh);
}

static float logistic(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static void step(const params *p, const float *in, const float *state, float *cell, float *out)
{
    for (int32_t u = 0; u < p->units; ++u) {
        const float i = logistic(gate(p, INPUT_GATE, u, in, state));
        const float f = logistic(gate(p, FORGET_GATE, u, in, state));
        const float g = tanhf(gate(p, CELL_GATE, u, in, state));
        const float o = logistic(gate(p, OUTPUT_GATE, u, in, state));
        float c = f * cell[u] + g * i;
        if (p->cell_clip > 0.0f) {
            c = edgec_clamp_float32(c, -p->cell_clip, p->cell_clip);
        }
        cell[u] = c;
        out[u] = o * tanhf(c);
    }
}

void edgec_unidirectional_sequence_lstm_float32(
    const edgec_unidirectional_sequence_lstm_float32_params *p, const float *in, float *state,
    float *cell, float *out)
{
    for (int32_t b = 0; b < p->batches; ++b, state += p->units, cell += p->units) {
        for (int32_t t = 0; t < p->steps; ++t) {
            float *result = out + b * p->out_batch_step + t * p->out_time_step;
            step(p, in + b * p->in_batch_step + t * p->in_time_step, state, cell, result);
            memcpy(state, result, (size_t)p->units * sizeof(float));
        }
    }
}
