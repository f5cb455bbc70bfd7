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

/* The sums of a unit's gates in Q3.12. */
static void gates(const params *p, int32_t unit, const int8_t *in, const int8_t *state,
                  int32_t sum[4])
{
    int32_t fresh[4];
    int32_t kept[4];
    for (int32_t g = 0; g < 4; ++g) {
        fresh[g] = p->bias[g * p->units + unit];
        kept[g] = p->recurrent_bias[g * p->units + unit];
    }
    edgec_dot4(in, p->weights + unit * p->in_size, p->units * p->in_size, p->in_size, fresh);
    edgec_dot4(state, p->recurrent + unit * p->units, p->units * p->units, p->units, kept);
    for (int32_t g = 0; g < 4; ++g) {
        const int32_t v = clamp16(edgec_requant_double(fresh[g], p->multiplier[g], p->shift[g]));
        const int32_t w =
            edgec_requant_double(kept[g], p->recurrent_multiplier[g], p->recurrent_shift[g]);
        sum[g] = clamp16(v + w);
    }
}

static void step(const params *p, const int8_t *in, const int8_t *state, int16_t *cell, int8_t *out)
{
    for (int32_t u = 0; u < p->units; ++u) {
        int32_t sum[4];
        gates(p, u, in, state, sum);
        const int32_t i = edgec_logistic16(sum[INPUT_GATE], GATE_BITS);
        const int32_t f = edgec_logistic16(sum[FORGET_GATE], GATE_BITS);
        const int32_t g = edgec_tanh16(sum[CELL_GATE], GATE_BITS);
        const int32_t o = edgec_logistic16(sum[OUTPUT_GATE], GATE_BITS);
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
