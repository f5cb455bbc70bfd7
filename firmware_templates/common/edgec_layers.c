#include "edgec_layers.h"

#include "edgec_hal.h"
#include "edgec_model.h"
#include "edgec_profile.h"

#ifdef EDGEC_PROFILE

static edgec_layer_record records[EDGEC_LAYER_RECORDS];
static uint32_t record_count;
static uint64_t last_ticks;
static uint64_t overhead_ticks;

static struct {
    uint8_t *out;
    uint32_t offset;
    uint32_t length;
    uint32_t copied;
    uint16_t layer;
    uint16_t output;
} capture;

static uint32_t fnv1a(const uint8_t *data, uint32_t bytes)
{
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < bytes; ++i) {
        hash = (hash ^ data[i]) * 16777619u;
    }
    return hash;
}

static void copy_wanted(const uint8_t *data, uint32_t bytes)
{
    uint32_t i = capture.offset;
    while (i < bytes && capture.copied < capture.length) {
        capture.out[capture.copied++] = data[i++];
    }
}

void edgec_layer(uint16_t layer, uint16_t output, const void *data, uint32_t bytes)
{
    const uint64_t now = edgec_hal_timer_read();
    if (record_count < EDGEC_LAYER_RECORDS) {
        edgec_layer_record *record = &records[record_count++];
        record->layer = layer;
        record->output = output;
        record->bytes = bytes;
        record->ticks = now - last_ticks;
        record->hash = fnv1a(data, bytes);
    }
    if (capture.out != 0 && layer == capture.layer && output == capture.output) {
        copy_wanted(data, bytes);
    }
    last_ticks = edgec_hal_timer_read();
}

void edgec_layers_begin(void)
{
    record_count = 0;
}

void edgec_layers_start(void)
{
    last_ticks = edgec_hal_timer_read();
}

const edgec_layer_record *edgec_layers_get(uint32_t *count)
{
    *count = record_count;
    return records;
}

void edgec_layers_calibrate(void)
{
    static const uint8_t nothing[1] = {0};
    edgec_layers_begin();
    edgec_hal_timer_start();
    edgec_layers_start();
    EDGEC_LAYER(0, 0, nothing, 0);
    EDGEC_LAYER(0, 0, nothing, 0);
    edgec_hal_timer_stop();
    overhead_ticks = records[record_count - 1].ticks;
    edgec_layers_begin();
}

uint64_t edgec_layers_overhead(void)
{
    return overhead_ticks;
}

void edgec_layers_capture(uint16_t layer, uint16_t output, uint32_t offset, uint32_t length,
                          uint8_t *out)
{
    capture.layer = layer;
    capture.output = output;
    capture.offset = offset;
    capture.length = length;
    capture.copied = 0;
    capture.out = out;
}

uint32_t edgec_layers_captured(void)
{
    capture.out = 0;
    return capture.copied;
}

#else

void edgec_layers_calibrate(void) {}

void edgec_layers_begin(void) {}

void edgec_layers_start(void) {}

#endif
