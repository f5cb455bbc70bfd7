/* The MLPerf Tiny protocol in place of frames (make MLPERF=1): commands that end in '%', lines. */
#ifndef EDGEC_MLPERF_H
#define EDGEC_MLPERF_H

#include <stdint.h>

#include "edgec_glue.h" /* EDGEC_MLPERF_BYTES, if the model is one of the benchmark's */

#if defined(EDGEC_MLPERF) && !defined(EDGEC_MLPERF_BYTES)
#error "this model is none of MLPerf Tiny: kws01, vww01, ic01 or ad01 with int8 input and output"
#endif

/* A command without its terminator. */
#define EDGEC_MLPERF_COMMAND 80u

#ifndef EDGEC_MLPERF_VENDOR
#define EDGEC_MLPERF_VENDOR "edgec"
#endif

/* What the benchmark's task makes of the model; edgec_glue.c is generated and defines it. */
typedef struct {
    const char *model;   /* the benchmark's name of it, as kws01 */
    const int8_t *map; /* from a byte of input to what the model takes; none: float32, quantised */
    float input_scale; /* of int8 values */
    float output_scale;
    int32_t input_zero;
    int32_t output_zero;
} edgec_mlperf_task;

extern const edgec_mlperf_task edgec_mlperf;

#ifdef EDGEC_MLPERF

/* One input as it came over the wire; aligned, as it may be float32. */
extern uint8_t edgec_mlperf_data[EDGEC_MLPERF_BYTES];

/* Fills the model's input from it. */
void edgec_mlperf_load(void);

/* Prints the scores, or how far an autoencoder's output is from its input. */
void edgec_mlperf_results(void);

#endif

#endif
