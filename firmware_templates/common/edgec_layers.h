/* What a profile build recorded of the last inference, one record a layer output. */
#ifndef EDGEC_LAYERS_H
#define EDGEC_LAYERS_H

#include <stdint.h>

typedef struct {
    uint16_t layer;
    uint16_t output;
    uint32_t bytes;
    uint64_t ticks;
    uint32_t hash; /* FNV-1a, 32 bits */
} edgec_layer_record;

/* Forgets the records; the next inference makes new ones. */
void edgec_layers_begin(void);

/* Restarts the clock of the first layer: call right before the model. */
void edgec_layers_start(void);

/* Records of the last inference; their number goes to *count. */
const edgec_layer_record *edgec_layers_get(uint32_t *count);

/* Measures what an empty layer costs; drops the records. */
void edgec_layers_calibrate(void);

/* Ticks an empty layer cost, to be subtracted from each record. */
uint64_t edgec_layers_overhead(void);

/* Copies output bytes offset.. of one layer to `out` the next time that layer runs. */
void edgec_layers_capture(uint16_t layer, uint16_t output, uint32_t offset, uint32_t length,
                          uint8_t *out);

/* Ends the capture; returns how many bytes were copied. */
uint32_t edgec_layers_captured(void);

#endif
