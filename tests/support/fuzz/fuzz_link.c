/* Fuzzes the frame protocol: raw bytes, and frames with a right checksum but any content.
 *
 * One translation unit with the firmware, so that its state can be cleared before each input. */
#include "fuzz_board.h"

#include "edgec_frame.c"
#include "edgec_layers.c"
#include "edgec_link.c"
#include "edgec_pace.c"
#include "edgec_reply.c"

static edgec_receiver host;
static int hello_replies;

static int known(uint8_t kind)
{
    return (kind >= (EDGEC_HELLO | EDGEC_REPLY) && kind <= (EDGEC_CLOCK | EDGEC_REPLY)) ||
           kind == EDGEC_LOG || kind == EDGEC_PROGRESS || kind == EDGEC_BOOT || kind == EDGEC_ERROR;
}

/* Whatever comes in, what goes out is whole frames. */
void fuzz_output(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        const size_t got = edgec_frame_feed(&host, data[i]);
        if (got != 0) {
            CHECK(known(host.wire[0]));
            CHECK(host.wire[0] != EDGEC_ERROR || got == EDGEC_FRAME_HEAD + 2);
            hello_replies += host.wire[0] == (EDGEC_HELLO | EDGEC_REPLY);
        }
    }
    CHECK(host.bad_frames == 0 && host.overflows == 0);
}

static void feed_frame(const uint8_t *body, size_t bytes)
{
    uint8_t data[EDGEC_FRAME_BYTES];
    memcpy(data, body, bytes);
    const uint32_t crc = edgec_crc32(0, data, bytes);
    for (uint32_t i = 0; i < EDGEC_FRAME_CRC; ++i) {
        data[bytes + i] = (uint8_t)(crc >> (8 * i));
    }
    bytes += EDGEC_FRAME_CRC;
    edgec_link_feed(0);
    size_t start = 0;
    for (;;) {
        size_t end = start;
        while (end < bytes && data[end] != 0 && end - start < 254) {
            ++end;
        }
        edgec_link_feed((uint8_t)(end - start + 1));
        for (size_t i = start; i < end; ++i) {
            edgec_link_feed(data[i]);
        }
        if (end == bytes) {
            break;
        }
        start = end - start == 254 ? end : end + 1;
    }
    edgec_link_feed(0);
}

static void clear(void)
{
    memset(&receiver, 0, sizeof receiver);
    memset(&host, 0, sizeof host);
    memset(input_0, 0, sizeof input_0);
    memset(input_1, 0, sizeof input_1);
    in_session = 0;
    last_seq = 0;
    last_request_crc = 0;
    session_crc = 0;
    stale_frames = 0;
    record_count = 0;
    hello_replies = 0;
    runs = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    clear();
    edgec_link_start();
    uint8_t seq = 1;
    for (size_t at = 0; at < bytes;) {
        /* Even: so many raw bytes. Odd: a frame of the type and with as much payload as follow. */
        const uint8_t what = data[at++];
        size_t length = what >> 1;
        length = length > bytes - at ? bytes - at : length;
        if ((what & 1u) == 0) {
            for (size_t i = 0; i < length; ++i) {
                edgec_link_feed(data[at + i]);
            }
        } else if (length > 0) {
            uint8_t body[EDGEC_FRAME_HEAD + 127] = {data[at], seq++};
            memcpy(&body[EDGEC_FRAME_HEAD], &data[at + 1], length - 1);
            feed_frame(body, EDGEC_FRAME_HEAD + length - 1);
        }
        at += length;
    }
    /* Whatever came, the next host finds a device that answers. */
    static const uint8_t hello[] = {EDGEC_HELLO, 7, 'n', 'e', 'w', '!'};
    const int before = hello_replies;
    feed_frame(hello, sizeof hello);
    CHECK(hello_replies == before + 1);
    CHECK(in_session == 1);
    return 0;
}
