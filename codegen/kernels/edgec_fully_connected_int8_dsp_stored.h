#ifndef EDGEC_FULLY_CONNECTED_INT8_DSP_STORED_H
#define EDGEC_FULLY_CONNECTED_INT8_DSP_STORED_H

#include "edgec_fully_connected_int8_dsp.h"
#include "edgec_stored_weights.h"

/* edgec_fully_connected_int8_dsp on stored weights, eight rows written out at a time. */
typedef struct {
    edgec_stored_weights stored; /* length: in_size, rounded up to 4 */
    edgec_fully_connected_int8_dsp_params layer; /* without weights */
} edgec_fully_connected_int8_dsp_stored_params;

/* in (batches, in_size) -> out (batches, out_size). scratch: 10 * length bytes, aligned to 8. */
void edgec_fully_connected_int8_dsp_stored(const edgec_fully_connected_int8_dsp_stored_params *p,
                                           const int8_t *in, int8_t *out, void *scratch);

#endif
