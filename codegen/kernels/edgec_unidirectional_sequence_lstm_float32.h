#ifndef EDGEC_UNIDIRECTIONAL_SEQUENCE_LSTM_FLOAT32_H
#define EDGEC_UNIDIRECTIONAL_SEQUENCE_LSTM_FLOAT32_H

#include <stdint.h>

/* Gates are in the order input, forget, cell, output. */
typedef struct {
    const float *weights;   /* (gate, unit, in_size) */
    const float *recurrent; /* (gate, unit, unit) */
    const float *bias;      /* (gate, unit) */
    int32_t batches, steps, in_size, units;
    int32_t in_batch_step, in_time_step, out_batch_step, out_time_step;
    float cell_clip; /* 0: none */
} edgec_unidirectional_sequence_lstm_float32_params;

/* in (batches, steps, in_size) -> out (batches, steps, units), or with steps first; state and
 * cell (batches, units) carry over from one call to the next. */
void edgec_unidirectional_sequence_lstm_float32(
    const edgec_unidirectional_sequence_lstm_float32_params *p, const float *in, float *state,
    float *cell, float *out);

#endif
