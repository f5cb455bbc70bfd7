/* edgec: hot */
#include "edgec_unidirectional_sequence_lstm_int8.h"

#include <stddef.h>
#include <string.h>

#include "edgec_dot.h"
#include "edgec_fixedpoint16.h"

#define GATE_BITS 3 /* integer bits of a gate before its activation */

typedef edgec_unidirectional_sequence_lstm_int8_params params;

enum { INPUT_GATE, FORGET_GATE, CELL_GATE, OUTPUT_GATE };

static int32_t clamp16(int32_t x)
{
    return edgec_clamp(x, INT16_MIN, INT16_MAX);
}

/* The sum of a gate in Q3.12. */
static int32_t gate(const params *p, int32_t g, int32_t unit, const int8_t *in,
                    const int8_t *state)
{
    const int32_t row = g * p->units + unit;
    const int32_t fresh = edgec_dot1(in, p->weights + row * p->in_size, p->in_size, p->bias[row]);
    const int32_t kept =
        edgec_dot1(state, p->recurrent + row * p->units, p->units, p->recurrent_bias[row]);
    const int32_t sum = clamp16(edgec_requant_double(fresh, p->multiplier[g], p->shift[g]));
    return clamp16(
        edgec_requant_double(kept, p->recurrent_multiplier[g], p->recurrent_shift[g]) + sum);
}

static void step(const params *p, const int8_t *in, const int8_t *state, int16_t *cell,
                 int8_t *out)
{
    for (int32_t u = 0; u < p->units; ++u) {
        const int32_t i = edgec_logistic16(gate(p, INPUT_GATE, u, in, state), GATE_BITS);
        const int32_t f = edgec_logistic16(gate(p, FORGET_GATE, u, in, state), GATE_BITS);
        const int32_t g = edgec_tanh16(gate(p, CELL_GATE, u, in, state), GATE_BITS);
        const int32_t o = edgec_logistic16(gate(p, OUTPUT_GATE, u, in, state), GATE_BITS);
        int32_t c = edgec_divide_by_pot(f * cell[u], 15);
        c = clamp16(c + edgec_divide_by_pot(i * g, 15 + p->cell_bits));
        if (p->cell_clip > 0) {
            c = edgec_clamp(c, -p->cell_clip, p->cell_clip);
        }
        cell[u] = (int16_t)c;
        const int32_t hidden = o * edgec_tanh16(c, p->cell_bits);
        const int32_t v = edgec_requant_double(hidden, p->hidden_multiplier, p->hidden_shift);
        out[u] = (int8_t)edgec_clamp(v + p->hidden_zero_point, INT8_MIN, INT8_MAX);
    }
}

void edgec_unidirectional_sequence_lstm_int8(
    const edgec_unidirectional_sequence_lstm_int8_params *p, const int8_t *in, int8_t *state,
    int16_t *cell, int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, state += p->units, cell += p->units) {
        for (int32_t t = 0; t < p->steps; ++t) {
            int8_t *result = out + b * p->out_batch_step + t * p->out_time_step;
            step(p, in + b * p->in_batch_step + t * p->in_time_step, state, cell, result);
            memcpy(state, result, (size_t)p->units);
        }
    }
}
