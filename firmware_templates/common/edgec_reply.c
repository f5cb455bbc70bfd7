#include "edgec_reply.h"

#include <string.h>

#include "edgec_frame.h"
#include "edgec_link.h"

static uint8_t reply[EDGEC_FRAME_BYTES];
static size_t reply_bytes;

void edgec_reply_begin(uint8_t type, uint8_t seq)
{
    reply[0] = (uint8_t)(type | EDGEC_REPLY);
    reply[1] = seq;
    reply_bytes = EDGEC_FRAME_HEAD;
}

void edgec_reply_8(uint8_t value)
{
    reply[reply_bytes++] = value;
}

void edgec_reply_16(uint16_t value)
{
    edgec_reply_8((uint8_t)value);
    edgec_reply_8((uint8_t)(value >> 8));
}

void edgec_reply_32(uint32_t value)
{
    edgec_reply_16((uint16_t)value);
    edgec_reply_16((uint16_t)(value >> 16));
}

void edgec_reply_64(uint64_t value)
{
    edgec_reply_32((uint32_t)value);
    edgec_reply_32((uint32_t)(value >> 32));
}

void edgec_reply_bytes(const uint8_t *data, size_t bytes)
{
    memcpy(&reply[reply_bytes], data, bytes);
    reply_bytes += bytes;
}

void edgec_reply_text(const char *text)
{
    size_t length = strlen(text);
    length = length > 63 ? 63 : length;
    edgec_reply_8((uint8_t)length);
    edgec_reply_bytes((const uint8_t *)text, length);
}

uint8_t *edgec_reply_end(void)
{
    return &reply[reply_bytes];
}

void edgec_reply_grow(size_t bytes)
{
    reply_bytes += bytes;
}

void edgec_reply_fail(uint8_t code)
{
    const uint8_t request = (uint8_t)(reply[0] & ~EDGEC_REPLY);
    reply[0] = EDGEC_ERROR;
    reply_bytes = EDGEC_FRAME_HEAD;
    edgec_reply_8(code);
    edgec_reply_8(request);
}

void edgec_reply_send(void)
{
    edgec_frame_send(reply, reply_bytes);
}
