#ifndef EDGEC_UNIDIRECTIONAL_SEQUENCE_LSTM_INT8_H
#define EDGEC_UNIDIRECTIONAL_SEQUENCE_LSTM_INT8_H

#include <stdint.h>

/* Gates are in the order input, forget, cell, output. */
typedef struct {
    const int8_t *weights;         /* (gate, unit, in_size) */
    const int8_t *recurrent;       /* (gate, unit, unit) */
    const int32_t *bias;           /* (gate, unit), input zero point folded in */
    const int32_t *recurrent_bias; /* (gate, unit), zero point of the state folded in */
    int32_t multiplier[4], shift[4], recurrent_multiplier[4], recurrent_shift[4];
    int32_t hidden_multiplier, hidden_shift;
    int32_t batches, steps, in_size, units;
    int32_t in_batch_step, in_time_step, out_batch_step, out_time_step;
    int16_t cell_clip; /* 0: none */
    int8_t cell_bits;  /* integer bits of the cell state */
    int8_t hidden_zero_point;
} edgec_unidirectional_sequence_lstm_int8_params;

/* in (batches, steps, in_size) -> out (batches, steps, units), or with steps first; state and
 * cell (batches, units) carry over from one call to the next. */
void edgec_unidirectional_sequence_lstm_int8(
    const edgec_unidirectional_sequence_lstm_int8_params *p, const int8_t *in, int8_t *state,
    int16_t *cell, int8_t *out);

#endif
