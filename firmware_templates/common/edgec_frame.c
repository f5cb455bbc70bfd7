#include "edgec_frame.h"

#include "edgec_hal.h"

uint32_t edgec_crc32(uint32_t crc, const uint8_t *data, size_t bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* Decodes in place, which is safe because the output is never ahead of the input. */
static size_t cobs_decode(uint8_t *data, size_t bytes)
{
    size_t in = 0;
    size_t out = 0;
    while (in < bytes) {
        const size_t code = data[in++];
        if (code == 0 || in + code - 1 > bytes) {
            return 0;
        }
        for (size_t i = 1; i < code; ++i) {
            data[out++] = data[in++];
        }
        if (code != 0xFF && in < bytes) {
            data[out++] = 0;
        }
    }
    return out;
}

static size_t check_frame(edgec_receiver *receiver, size_t wire_bytes)
{
    uint8_t *data = receiver->wire;
    const size_t bytes = cobs_decode(data, wire_bytes);
    if (bytes >= EDGEC_FRAME_HEAD + EDGEC_FRAME_CRC && bytes <= EDGEC_FRAME_BYTES) {
        const size_t body = bytes - EDGEC_FRAME_CRC;
        const uint32_t crc = edgec_crc32(0, data, body);
        const uint32_t sent = (uint32_t)data[body] | ((uint32_t)data[body + 1] << 8) |
                              ((uint32_t)data[body + 2] << 16) | ((uint32_t)data[body + 3] << 24);
        if (crc == sent) {
            return body;
        }
    }
    receiver->bad_frames++;
    return 0;
}

size_t edgec_frame_feed(edgec_receiver *receiver, uint8_t byte)
{
    if (byte != 0) {
        if (receiver->received < EDGEC_WIRE_BYTES) {
            receiver->wire[receiver->received++] = byte;
        } else {
            receiver->overflowed = 1;
        }
        return 0;
    }
    const size_t wire_bytes = receiver->received;
    const uint8_t overflowed = receiver->overflowed;
    receiver->received = 0;
    receiver->overflowed = 0;
    if (overflowed != 0) {
        receiver->overflows++;
        return 0;
    }
    return wire_bytes == 0 ? 0 : check_frame(receiver, wire_bytes);
}

static void cobs_send(const uint8_t *data, size_t bytes)
{
    size_t start = 0;
    for (;;) {
        size_t end = start;
        while (end < bytes && data[end] != 0 && end - start < 254) {
            ++end;
        }
        const size_t run = end - start;
        const uint8_t code = (uint8_t)(run + 1);
        edgec_hal_write(&code, 1);
        edgec_hal_write(&data[start], run);
        if (end == bytes) {
            return;
        }
        start = run == 254 ? end : end + 1;
    }
}

void edgec_frame_send(uint8_t *frame, size_t bytes)
{
    static const uint8_t delimiter = 0;
    const uint32_t crc = edgec_crc32(0, frame, bytes);
    frame[bytes] = (uint8_t)crc;
    frame[bytes + 1] = (uint8_t)(crc >> 8);
    frame[bytes + 2] = (uint8_t)(crc >> 16);
    frame[bytes + 3] = (uint8_t)(crc >> 24);
    edgec_hal_write(&delimiter, 1);
    cobs_send(frame, bytes + EDGEC_FRAME_CRC);
    edgec_hal_write(&delimiter, 1);
}
