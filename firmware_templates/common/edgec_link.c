#include "edgec_link.h"

#ifndef EDGEC_MLPERF

#include <string.h>

#include "edgec_frame.h"
#include "edgec_hal.h"
#include "edgec_layers.h"
#include "edgec_model.h"
#include "edgec_pace.h"
#include "edgec_reply.h"
#include "edgec_stack.h"

#define LAYERS_PER_FRAME 50u

/* A reply to RUN has 10 bytes, 8 a run, and 4 a tensor. */
#define RUNS_THAT_FIT ((EDGEC_MAX_PAYLOAD - 10u - 4u * EDGEC_TENSOR_COUNT) / 8u)
#define MAX_RUNS (RUNS_THAT_FIT < 120u ? RUNS_THAT_FIT : 120u)

typedef char tensors_fit_a_reply[EDGEC_TENSOR_COUNT <= 120u ? 1 : -1];

/* Sequence numbers are 1 to 255; one that is this far behind or less is an old frame. */
#define SEQ_COUNT 255u
#define SEQ_BEHIND 127u

static edgec_receiver receiver;

static uint32_t last_request_crc;

/* The last HELLO, by which a host opens a session; old frames of the line are not of it. */
static uint8_t in_session;
static uint32_t session_crc;
static uint8_t last_seq;
static uint32_t stale_frames;

static uint32_t stack_used;

static uint16_t get16(const uint8_t *data)
{
    return (uint16_t)(data[0] | (data[1] << 8));
}

static uint32_t get32(const uint8_t *data)
{
    return (uint32_t)get16(data) | ((uint32_t)get16(data + 2) << 16);
}

static void answer_hello(void)
{
    edgec_reply_8(EDGEC_PROTOCOL_VERSION);
    edgec_reply_8(edgec_hal_timer_kind());
    edgec_reply_8(edgec_model.profile);
    edgec_reply_8(edgec_model.has_state);
    edgec_reply_32(edgec_hal_timer_hz());
    edgec_reply_32(edgec_model.arena_bytes);
    edgec_reply_16(EDGEC_MAX_PAYLOAD);
    edgec_reply_16(MAX_RUNS);
    edgec_reply_16(edgec_model.layers);
    edgec_reply_8(edgec_model.inputs);
    edgec_reply_8(edgec_model.outputs);
    for (uint32_t i = 0; i < sizeof edgec_model.sha256; ++i) {
        edgec_reply_8(edgec_model.sha256[i]);
    }
    for (uint32_t i = 0; i < EDGEC_TENSOR_COUNT; ++i) {
        edgec_reply_32(edgec_tensors[i].bytes);
    }
    edgec_reply_text(edgec_model.name);
    edgec_reply_text(edgec_model.target);
    edgec_reply_text(edgec_model.build);
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
        edgec_reply_fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t tensor = payload[0];
    const uint32_t offset = get32(&payload[1]);
    const uint32_t length = (uint32_t)bytes - 5u;
    if (tensor >= edgec_model.inputs || !in_range(tensor, offset, length)) {
        edgec_reply_fail(EDGEC_ERROR_RANGE);
        return;
    }
    memcpy(&edgec_tensors[tensor].data[offset], &payload[5], length);
}

/* Payload: u8 tensor (inputs, then outputs), u32 offset, u16 length. */
static void answer_read(const uint8_t *payload, size_t bytes)
{
    if (bytes != 7) {
        edgec_reply_fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t tensor = payload[0];
    const uint32_t offset = get32(&payload[1]);
    const uint32_t length = get16(&payload[5]);
    if (length > EDGEC_MAX_PAYLOAD || !in_range(tensor, offset, length)) {
        edgec_reply_fail(EDGEC_ERROR_RANGE);
        return;
    }
    edgec_reply_bytes(&edgec_tensors[tensor].data[offset], length);
}

static void add_crcs(uint32_t tensors)
{
    for (uint32_t i = 0; i < tensors; ++i) {
        edgec_reply_32(edgec_crc32(0, edgec_tensors[i].data, edgec_tensors[i].bytes));
    }
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
        status = edgec_stack_measure(edgec_model_run, &stack_used);
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

/* Payload: u16 runs, u16 warm-up runs, u8 flags. Reply: u64 empty ticks, u16 n, u64 ticks[n],
 * u32 CRC of each tensor, by which the host knows what was computed from what. */
static void answer_run(const uint8_t *payload, size_t bytes, uint8_t seq)
{
    if (bytes != 5) {
        edgec_reply_fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t runs = get16(payload);
    const uint32_t warmup = get16(&payload[2]);
    const uint8_t flags = payload[4];
    if (runs > MAX_RUNS) {
        edgec_reply_fail(EDGEC_ERROR_RANGE);
        return;
    }
    edgec_layers_calibrate();
    edgec_reply_64(empty_run());
    edgec_reply_16((uint16_t)runs);
    send_progress(seq, 0);
    for (uint32_t i = 0; i < warmup + runs; ++i) {
        uint64_t ticks = 0;
        const uint8_t error = run_once(flags, &ticks);
        if (error != 0) {
            edgec_reply_fail(error);
            return;
        }
        if (i >= warmup) {
            edgec_reply_64(ticks);
        }
        send_progress(seq, i + 1);
    }
    add_crcs(EDGEC_TENSOR_COUNT);
}

#ifdef EDGEC_PROFILE

/* Payload: u16 first record. Reply: u16 records in all, u64 empty ticks, records. */
static void answer_layers(const uint8_t *payload, size_t bytes)
{
    if (bytes != 2) {
        edgec_reply_fail(EDGEC_ERROR_LENGTH);
        return;
    }
    uint32_t count = 0;
    const edgec_layer_record *records = edgec_layers_get(&count);
    const uint32_t first = get16(payload);
    edgec_reply_16((uint16_t)count);
    edgec_reply_64(edgec_layers_overhead());
    for (uint32_t i = first; i < count && i < first + LAYERS_PER_FRAME; ++i) {
        edgec_reply_16(records[i].layer);
        edgec_reply_16(records[i].output);
        edgec_reply_32(records[i].bytes);
        edgec_reply_64(records[i].ticks);
        edgec_reply_32(records[i].hash);
    }
}

/* Payload: u16 layer, u16 output, u32 offset, u16 length. Reply: u32 CRC of each input, bytes.
 * Runs the model once more. */
static void answer_layer_read(const uint8_t *payload, size_t bytes, uint8_t seq)
{
    if (bytes != 10) {
        edgec_reply_fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t length = get16(&payload[8]);
    if (length > EDGEC_MAX_PAYLOAD - 4u * edgec_model.inputs) {
        edgec_reply_fail(EDGEC_ERROR_RANGE);
        return;
    }
    add_crcs(edgec_model.inputs);
    edgec_layers_capture(get16(payload), get16(&payload[2]), get32(&payload[4]), length,
                         edgec_reply_end());
    send_progress(seq, 0);
    uint64_t ticks = 0;
    const uint8_t error = run_once(edgec_model.has_state != 0 ? EDGEC_RUN_RESET : 0, &ticks);
    const uint32_t copied = edgec_layers_captured();
    if (error != 0) {
        edgec_reply_fail(error);
    } else if (copied != length) {
        edgec_reply_fail(EDGEC_ERROR_LAYER);
    } else {
        edgec_reply_grow(copied);
    }
}

#else

static void answer_layers(const uint8_t *payload, size_t bytes)
{
    (void)payload;
    (void)bytes;
    edgec_reply_fail(EDGEC_ERROR_PROFILE);
}

static void answer_layer_read(const uint8_t *payload, size_t bytes, uint8_t seq)
{
    (void)seq;
    (void)payload;
    (void)bytes;
    edgec_reply_fail(EDGEC_ERROR_PROFILE);
}

#endif

static void answer_stats(void)
{
    edgec_reply_32(receiver.bad_frames);
    edgec_reply_32(receiver.overflows);
    edgec_reply_32(stack_used);
    edgec_reply_32(edgec_stack_free());
    edgec_reply_32(stale_frames);
    edgec_reply_32(edgec_hal_peak_kib());
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
    case EDGEC_CLOCK:
        send_progress(seq, 0);
        edgec_pace_answer(payload, bytes);
        break;
    default:
        edgec_reply_fail(EDGEC_ERROR_TYPE);
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

void edgec_link_start(void)
{
    uint8_t frame[EDGEC_FRAME_HEAD + 1 + EDGEC_FRAME_CRC] = {EDGEC_BOOT, 0, EDGEC_PROTOCOL_VERSION};
    edgec_frame_send(frame, EDGEC_FRAME_HEAD + 1);
}

/* Whether the line delivers a request long after its turn: it was answered, or given up. A HELLO
 * without a nonce cannot be told from an old one. */
static int is_stale(uint8_t type, uint8_t seq, size_t bytes, uint32_t crc)
{
    if (in_session == 0 || crc == last_request_crc) {
        return 0;
    }
    if (type == EDGEC_HELLO) {
        return crc == session_crc && bytes > EDGEC_FRAME_HEAD;
    }
    const uint32_t behind = (SEQ_COUNT + last_seq - seq) % SEQ_COUNT;
    return seq == 0 || behind <= SEQ_BEHIND;
}

static void answer(uint8_t type, uint8_t seq, size_t bytes, uint32_t crc)
{
    edgec_reply_begin(type, seq);
    if (type == EDGEC_HELLO) {
        in_session = 1;
        session_crc = crc;
    }
    if (in_session == 0) {
        edgec_reply_fail(EDGEC_ERROR_SESSION);
    } else {
        last_seq = seq;
        dispatch(type, seq, &receiver.wire[EDGEC_FRAME_HEAD], bytes - EDGEC_FRAME_HEAD);
    }
    last_request_crc = crc;
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
    if (is_stale(type, seq, bytes, crc)) {
        stale_frames++;
        return;
    }
    if (crc != last_request_crc || in_session == 0) {
        answer(type, seq, bytes, crc);
    }
    edgec_reply_send();
}

#endif
