/* The reply being made, kept because a repeated request is answered by repeating it. */
#ifndef EDGEC_REPLY_H
#define EDGEC_REPLY_H

#include <stddef.h>
#include <stdint.h>

/* Starts an empty reply to a request of this type and sequence number. */
void edgec_reply_begin(uint8_t type, uint8_t seq);

/* Append a little-endian number, bytes, or text of up to 63 characters after its length. */
void edgec_reply_8(uint8_t value);
void edgec_reply_16(uint16_t value);
void edgec_reply_32(uint32_t value);
void edgec_reply_64(uint64_t value);
void edgec_reply_bytes(const uint8_t *data, size_t bytes);
void edgec_reply_text(const char *text);

/* Where the next bytes go, for who writes them himself and then says how many it were. */
uint8_t *edgec_reply_end(void);
void edgec_reply_grow(size_t bytes);

/* Makes it an error instead, whatever it was. */
void edgec_reply_fail(uint8_t code);

void edgec_reply_send(void);

#endif
