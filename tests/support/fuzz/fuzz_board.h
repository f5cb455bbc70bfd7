/* What both fuzzers need of a board: output that is kept, and a model that soon refuses to run. */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgec_hal.h"
#include "edgec_model.h"
#include "edgec_profile.h"
#include "edgec_stack.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* A request may ask for billions of inferences. */
#define MOST_RUNS 300u

void fuzz_output(const uint8_t *data, size_t bytes);

/* More than a frame holds, or as many float32 as the benchmark's input has. */
#ifdef EDGEC_MLPERF
#define VALUES 10
#else
#define VALUES 1500
#endif

static uint8_t input_0[VALUES];
static uint8_t input_1[4];
static uint8_t output_0[VALUES];
static uint32_t runs;
static uint64_t ticks;

const edgec_buffer edgec_tensors[EDGEC_TENSOR_COUNT] = {
    {input_0, sizeof input_0}, {input_1, sizeof input_1}, {output_0, sizeof output_0}};

const edgec_model_info edgec_model = {.name = "fuzz",
                                      .target = "none",
                                      .build = "0123",
                                      .inputs = 2,
                                      .outputs = 1,
                                      .layers = 1,
                                      .profile = 1};

void edgec_model_load(void) {}

void edgec_model_reset(void)
{
    memset(output_0, 0, sizeof output_0);
}

int edgec_model_run(void)
{
    for (size_t i = 0; i < sizeof output_0; ++i) {
        output_0[i] = (uint8_t)(input_0[i] ^ input_1[i % sizeof input_1]);
    }
#ifdef EDGEC_PROFILE
    EDGEC_LAYER(0, 0, output_0, sizeof output_0);
#endif
    return ++runs > MOST_RUNS;
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    fuzz_output(data, bytes);
}

void edgec_hal_timer_start(void) {}

uint64_t edgec_hal_timer_read(void)
{
    return ++ticks;
}

void edgec_hal_timer_stop(void) {}

uint32_t edgec_hal_timer_hz(void)
{
    return 1000u;
}

uint8_t edgec_hal_timer_kind(void)
{
    return EDGEC_TIMER_VIRTUAL;
}

uint32_t edgec_hal_peak_kib(void)
{
    return 0;
}

/* The stack of a fuzzer is not painted: the sanitizer watches it. */
void edgec_stack_guard(void) {}

int edgec_stack_intact(void)
{
    return 1;
}

int edgec_stack_measure(int (*run)(void), uint32_t *used_bytes)
{
    *used_bytes = 64;
    return run();
}

uint32_t edgec_stack_free(void)
{
    return 4096;
}

#endif
