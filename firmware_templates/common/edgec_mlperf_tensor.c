#include "edgec_mlperf.h"

#ifdef EDGEC_MLPERF

#include <string.h>

#include "edgec_model.h"
#include "edgec_text.h"

uint8_t edgec_mlperf_data[EDGEC_MLPERF_BYTES] __attribute__((aligned(4)));

/* Nearest, away from zero where two are as near; NaN is zero. */
static int8_t quantised(float value)
{
    const float steps = value / edgec_mlperf.input_scale;
    const float low = (float)(-128 - edgec_mlperf.input_zero);
    const float high = (float)(127 - edgec_mlperf.input_zero);
    if (!(steps > low)) {
        return steps <= low ? -128 : (int8_t)edgec_mlperf.input_zero;
    }
    if (steps >= high) {
        return 127;
    }
    const int32_t whole = (int32_t)steps;
    const float rest = steps - (float)whole;
    const int32_t up = rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
    return (int8_t)(whole + up + edgec_mlperf.input_zero);
}

static float output_value(uint32_t index)
{
    const edgec_buffer *output = &edgec_tensors[edgec_model.inputs];
    const int8_t raw = (int8_t)output->data[index];
    return (float)(raw - edgec_mlperf.output_zero) * edgec_mlperf.output_scale;
}

static float input_value(uint32_t index)
{
    float value;
    memcpy(&value, &edgec_mlperf_data[index * sizeof value], sizeof value);
    return value;
}

void edgec_mlperf_load(void)
{
    const edgec_buffer *input = &edgec_tensors[0];
    for (uint32_t i = 0; i < input->bytes; ++i) {
        const int8_t *map = edgec_mlperf.map;
        const int8_t value = map != NULL ? map[edgec_mlperf_data[i]] : quantised(input_value(i));
        input->data[i] = (uint8_t)value;
    }
}

/* The answer of an autoencoder: how far from its input it is. */
static float mean_square_error(uint32_t values)
{
    float sum = 0;
    for (uint32_t i = 0; i < values; ++i) {
        const float difference = output_value(i) - input_value(i);
        sum += difference * difference;
    }
    return sum / (float)values;
}

void edgec_mlperf_results(void)
{
    const uint32_t values = edgec_tensors[edgec_model.inputs].bytes;
    edgec_text("m-results-[");
    if (edgec_mlperf.map == NULL) {
        edgec_text_milli(mean_square_error(values));
    } else {
        for (uint32_t i = 0; i < values; ++i) {
            edgec_text(i == 0 ? "" : ",");
            edgec_text_milli(output_value(i));
        }
    }
    edgec_text("]\r\n");
}

#endif
