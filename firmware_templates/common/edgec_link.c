#include "edgec_link.h"

#include <string.h>

#include "edgec_frame.h"
#include "edgec_hal.h"
#include "edgec_layers.h"
#include "edgec_model.h"
#include "edgec_stack.h"

#define MAX_RUNS 120u
#define LAYERS_PER_FRAME 50u

static edgec_receiver receiver;

/* The reply, kept because a repeated request is answered by repeating it. */
static uint8_t reply[EDGEC_FRAME_BYTES];
static size_t reply_bytes;
static uint32_t last_request_crc;

static uint32_t stack_used;

static uint16_t get16(const uint8_t *data)
{
    return (uint16_t)(data[0] | (data[1] << 8));
}

static uint32_t get32(const uint8_t *data)
{
    return (uint32_t)get16(data) | ((uint32_t)get16(data + 2) << 16);
}

static void add8(uint8_t value)
{
    reply[reply_bytes++] = value;
}

static void add16(uint16_t value)
{
    add8((uint8_t)value);
    add8((uint8_t)(value >> 8));
}

static void add32(uint32_t value)
{
    add16((uint16_t)value);
    add16((uint16_t)(value >> 16));
}

static void add64(uint64_t value)
{
    add32((uint32_t)value);
    add32((uint32_t)(value >> 32));
}

static void add_text(const char *text)
{
    size_t length = strlen(text);
    length = length > 63 ? 63 : length;
    add8((uint8_t)length);
    memcpy(&reply[reply_bytes], text, length);
    reply_bytes += length;
}

static void fail(uint8_t code)
{
    const uint8_t request = (uint8_t)(reply[0] & ~EDGEC_REPLY);
    reply[0] = EDGEC_ERROR;
    reply_bytes = EDGEC_FRAME_HEAD;
    add8(code);
    add8(request);
}

static void answer_hello(void)
{
    add8(EDGEC_PROTOCOL_VERSION);
    add8(edgec_hal_timer_kind());
    add8(edgec_model.profile);
    add8(edgec_model.has_state);
    add32(edgec_hal_timer_hz());
    add32(edgec_model.arena_bytes);
    add16(EDGEC_MAX_PAYLOAD);
    add16(MAX_RUNS);
    add16(edgec_model.layers);
    add8(edgec_model.inputs);
    add8(edgec_model.outputs);
    for (uint32_t i = 0; i < sizeof edgec_model.sha256; ++i) {
        add8(edgec_model.sha256[i]);
    }
    for (uint32_t i = 0; i < EDGEC_TENSOR_COUNT; ++i) {
        add32(edgec_tensors[i].bytes);
    }
    add_text(edgec_model.name);
    add_text(edgec_model.target);
}

static int in_range(uint32_t tensor, uint32_t offset, uint32_t length)
{
    return tensor < EDGEC_TENSOR_COUNT && offset <= edgec_tensors[tensor].bytes &&
           length <= edgec_tensors[tensor].bytes - offset;
}

/* Payload: u8 input, u32 offset, bytes. */
static void answer_write(const uint8_t *payload, size_t bytes)
{
    if (bytes < 5) {
        fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t tensor = payload[0];
    const uint32_t offset = get32(&payload[1]);
    const uint32_t length = (uint32_t)bytes - 5u;
    if (tensor >= edgec_model.inputs || !in_range(tensor, offset, length)) {
        fail(EDGEC_ERROR_RANGE);
        return;
    }
    memcpy(&edgec_tensors[tensor].data[offset], &payload[5], length);
}

/* Payload: u8 tensor (inputs, then outputs), u32 offset, u16 length. */
static void answer_read(const uint8_t *payload, size_t bytes)
{
    if (bytes != 7) {
        fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t tensor = payload[0];
    const uint32_t offset = get32(&payload[1]);
    const uint32_t length = get16(&payload[5]);
    if (length > EDGEC_MAX_PAYLOAD || !in_range(tensor, offset, length)) {
        fail(EDGEC_ERROR_RANGE);
        return;
    }
    memcpy(&reply[reply_bytes], &edgec_tensors[tensor].data[offset], length);
    reply_bytes += length;
}

static int timed_run(uint64_t *ticks)
{
    edgec_layers_begin();
    edgec_hal_timer_start();
    edgec_layers_start();
    const uint64_t start = edgec_hal_timer_read();
    const int status = edgec_model_run();
    *ticks = edgec_hal_timer_read() - start;
    edgec_hal_timer_stop();
    return status;
}

static int nothing(void)
{
    return 0;
}

/* What timed_run() measures of a model that does nothing. */
static uint64_t empty_run(void)
{
    int (*volatile const run)(void) = nothing;
    edgec_hal_timer_start();
    const uint64_t start = edgec_hal_timer_read();
    (void)run();
    const uint64_t ticks = edgec_hal_timer_read() - start;
    edgec_hal_timer_stop();
    return ticks;
}

/* Returns 0, or the error code to answer. */
static uint8_t run_once(uint8_t flags, uint64_t *ticks)
{
    if ((flags & EDGEC_RUN_RESET) != 0) {
        edgec_model_reset();
    }
    edgec_model_load();
    edgec_stack_guard();
    int status = 0;
    if ((flags & EDGEC_RUN_STACK) != 0) {
        *ticks = 0;
        edgec_hal_timer_start();
        status = edgec_stack_measure(edgec_model_run, &stack_used);
        edgec_hal_timer_stop();
    } else {
        status = timed_run(ticks);
    }
    if (edgec_stack_intact() == 0) {
        return EDGEC_ERROR_STACK;
    }
    return status == 0 ? 0 : EDGEC_ERROR_MODEL;
}

static void send_progress(uint8_t seq, uint32_t done)
{
    uint8_t frame[EDGEC_FRAME_HEAD + 4 + EDGEC_FRAME_CRC] = {EDGEC_PROGRESS, seq};
    for (uint32_t i = 0; i < 4; ++i) {
        frame[EDGEC_FRAME_HEAD + i] = (uint8_t)(done >> (8 * i));
    }
    edgec_frame_send(frame, EDGEC_FRAME_HEAD + 4);
}

/* Payload: u16 runs, u16 warm-up runs, u8 flags. Reply: u64 empty ticks, u16 n, u64 ticks[n]. */
static void answer_run(const uint8_t *payload, size_t bytes, uint8_t seq)
{
    if (bytes != 5) {
        fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t runs = get16(payload);
    const uint32_t warmup = get16(&payload[2]);
    const uint8_t flags = payload[4];
    if (runs > MAX_RUNS) {
        fail(EDGEC_ERROR_RANGE);
        return;
    }
    edgec_layers_calibrate();
    add64(empty_run());
    add16((uint16_t)runs);
    send_progress(seq, 0);
    for (uint32_t i = 0; i < warmup + runs; ++i) {
        uint64_t ticks = 0;
        const uint8_t error = run_once(flags, &ticks);
        if (error != 0) {
            fail(error);
            return;
        }
        if (i >= warmup) {
            add64(ticks);
        }
        send_progress(seq, i + 1);
    }
}

#ifdef EDGEC_PROFILE

/* Payload: u16 first record. Reply: u16 records in all, u64 empty ticks, records. */
static void answer_layers(const uint8_t *payload, size_t bytes)
{
    if (bytes != 2) {
        fail(EDGEC_ERROR_LENGTH);
        return;
    }
    uint32_t count = 0;
    const edgec_layer_record *records = edgec_layers_get(&count);
    const uint32_t first = get16(payload);
    add16((uint16_t)count);
    add64(edgec_layers_overhead());
    for (uint32_t i = first; i < count && i < first + LAYERS_PER_FRAME; ++i) {
        add16(records[i].layer);
        add16(records[i].output);
        add32(records[i].bytes);
        add64(records[i].ticks);
        add32(records[i].hash);
    }
}

/* Payload: u16 layer, u16 output, u32 offset, u16 length. Runs the model once more. */
static void answer_layer_read(const uint8_t *payload, size_t bytes, uint8_t seq)
{
    if (bytes != 10) {
        fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t length = get16(&payload[8]);
    if (length > EDGEC_MAX_PAYLOAD) {
        fail(EDGEC_ERROR_RANGE);
        return;
    }
    edgec_layers_capture(get16(payload), get16(&payload[2]), get32(&payload[4]), length,
                         &reply[reply_bytes]);
    send_progress(seq, 0);
    uint64_t ticks = 0;
    const uint8_t error = run_once(edgec_model.has_state != 0 ? EDGEC_RUN_RESET : 0, &ticks);
    const uint32_t copied = edgec_layers_captured();
    if (error != 0) {
        fail(error);
    } else if (copied != length) {
        fail(EDGEC_ERROR_LAYER);
    } else {
        reply_bytes += copied;
    }
}

#else

static void answer_layers(const uint8_t *payload, size_t bytes)
{
    (void)payload;
    (void)bytes;
    fail(EDGEC_ERROR_PROFILE);
}

static void answer_layer_read(const uint8_t *payload, size_t bytes, uint8_t seq)
{
    (void)seq;
    (void)payload;
    (void)bytes;
    fail(EDGEC_ERROR_PROFILE);
}

#endif

static void answer_stats(void)
{
    add32(receiver.bad_frames);
    add32(receiver.overflows);
    add32(stack_used);
    add32(edgec_stack_free());
}

static void dispatch(uint8_t type, uint8_t seq, const uint8_t *payload, size_t bytes)
{
    switch (type) {
    case EDGEC_HELLO:
        answer_hello();
        break;
    case EDGEC_WRITE:
        answer_write(payload, bytes);
        break;
    case EDGEC_READ:
        answer_read(payload, bytes);
        break;
    case EDGEC_RUN:
        answer_run(payload, bytes, seq);
        break;
    case EDGEC_LAYERS:
        answer_layers(payload, bytes);
        break;
    case EDGEC_STATS:
        answer_stats();
        break;
    case EDGEC_LAYER_READ:
        answer_layer_read(payload, bytes, seq);
        break;
    case EDGEC_RESET:
        edgec_model_reset();
        break;
    default:
        fail(EDGEC_ERROR_TYPE);
        break;
    }
}

void edgec_link_log(const char *text)
{
    uint8_t frame[EDGEC_FRAME_HEAD + 64 + EDGEC_FRAME_CRC] = {EDGEC_LOG, 0};
    size_t length = strlen(text);
    length = length > 64 ? 64 : length;
    memcpy(&frame[EDGEC_FRAME_HEAD], text, length);
    edgec_frame_send(frame, EDGEC_FRAME_HEAD + length);
}

void edgec_link_feed(uint8_t byte)
{
    const size_t bytes = edgec_frame_feed(&receiver, byte);
    if (bytes == 0) {
        return;
    }
    const uint8_t type = receiver.wire[0];
    const uint8_t seq = receiver.wire[1];
    const uint32_t crc = edgec_crc32(0, receiver.wire, bytes);
    const int repeated = reply_bytes != 0 && crc == last_request_crc && type != EDGEC_HELLO;
    if (!repeated) {
        reply[0] = (uint8_t)(type | EDGEC_REPLY);
        reply[1] = seq;
        reply_bytes = EDGEC_FRAME_HEAD;
        dispatch(type, seq, &receiver.wire[EDGEC_FRAME_HEAD], bytes - EDGEC_FRAME_HEAD);
        last_request_crc = crc;
    }
    edgec_frame_send(reply, reply_bytes);
}
