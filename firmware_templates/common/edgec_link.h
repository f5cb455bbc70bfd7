/* The device's half of the protocol: requests in, replies out, one at a time. With EDGEC_MLPERF
 * edgec_mlperf.c stands behind these functions, and speaks that benchmark's. */
#ifndef EDGEC_LINK_H
#define EDGEC_LINK_H

#include <stdint.h>

#define EDGEC_PROTOCOL_VERSION 2

/* A reply has its request's type with this bit set. */
#define EDGEC_REPLY 0x80u

enum {
    EDGEC_HELLO = 0x01,
    EDGEC_WRITE = 0x02,
    EDGEC_READ = 0x03,
    EDGEC_RUN = 0x04,
    EDGEC_LAYERS = 0x05,
    EDGEC_STATS = 0x06,
    EDGEC_LAYER_READ = 0x07,
    EDGEC_RESET = 0x08,
    EDGEC_CLOCK = 0x09,
    EDGEC_LOG = 0xF0,
    EDGEC_PROGRESS = 0xF1,
    EDGEC_BOOT = 0xF2,
    EDGEC_ERROR = 0xFF
};

enum {
    EDGEC_ERROR_TYPE = 1,    /* no such request */
    EDGEC_ERROR_LENGTH = 2,  /* payload too short or too long */
    EDGEC_ERROR_RANGE = 3,   /* tensor, offset or length outside what there is */
    EDGEC_ERROR_MODEL = 4,   /* the model returned non-zero */
    EDGEC_ERROR_PROFILE = 5, /* only a profile build can do this */
    EDGEC_ERROR_LAYER = 6,    /* no such layer output */
    EDGEC_ERROR_STACK = 7,   /* the stack was too small */
    EDGEC_ERROR_SESSION = 8  /* no HELLO since the device started */
};

enum { EDGEC_RUN_RESET = 1, EDGEC_RUN_STACK = 2 };

/* Tells the host that the device has started; call once, before the first byte. */
void edgec_link_start(void);

/* Sends a line of text the host may show. */
void edgec_link_log(const char *text);

/* Takes a byte from the host; answers when it completes a request. */
void edgec_link_feed(uint8_t byte);

#endif
