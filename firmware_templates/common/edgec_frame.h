/* Frames on the wire: 00 COBS(type, seq, payload, CRC32 little-endian) 00. */
#ifndef EDGEC_FRAME_H
#define EDGEC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define EDGEC_MAX_PAYLOAD 1024u
#define EDGEC_FRAME_HEAD 2u
#define EDGEC_FRAME_CRC 4u
#define EDGEC_FRAME_BYTES (EDGEC_FRAME_HEAD + EDGEC_MAX_PAYLOAD + EDGEC_FRAME_CRC)
/* COBS adds one byte in each 254, and one. */
#define EDGEC_WIRE_BYTES (EDGEC_FRAME_BYTES + EDGEC_FRAME_BYTES / 254u + 1u)

typedef struct {
    uint8_t wire[EDGEC_WIRE_BYTES]; /* after edgec_frame_feed: type, seq, payload */
    size_t received;
    uint8_t overflowed;
    uint32_t bad_frames;
    uint32_t overflows;
} edgec_receiver;

/* CRC-32 as zlib's: start with 0, chain by passing the last result. */
uint32_t edgec_crc32(uint32_t crc, const uint8_t *data, size_t bytes);

/* Takes a byte; returns the payload length + 2 when it completes a good frame, else 0. */
size_t edgec_frame_feed(edgec_receiver *receiver, uint8_t byte);

/* Sends a frame of type, seq and payload; `frame` has room for the CRC after `bytes`. */
void edgec_frame_send(uint8_t *frame, size_t bytes);

#endif
