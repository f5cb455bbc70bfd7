/* The model as the bench firmware sees it; edgec_glue.c is generated and defines it. */
#ifndef EDGEC_MODEL_H
#define EDGEC_MODEL_H

#include <stdint.h>

#include "edgec_glue.h" /* EDGEC_LAYER_RECORDS, EDGEC_TENSOR_COUNT */

typedef struct {
    uint8_t *data;
    uint32_t bytes;
} edgec_buffer;

typedef struct {
    const char *name;
    uint8_t sha256[32]; /* of the model file */
    const char *target;
    const char *build; /* a hash of the sources and flags of this folder */
    uint32_t arena_bytes;
    uint16_t layers;
    uint8_t inputs;
    uint8_t outputs;
    uint8_t has_state;
    uint8_t profile;
} edgec_model_info;

extern const edgec_model_info edgec_model;

/* Inputs first, then outputs. */
extern const edgec_buffer edgec_tensors[EDGEC_TENSOR_COUNT];

/* Copies inputs that the model takes in its arena there: a run may overwrite them. */
void edgec_model_load(void);

/* One inference on what was loaded; 0 is success. */
int edgec_model_run(void);

/* Clears the arena, and the recurrent state if the model has any. */
void edgec_model_reset(void);

#endif
