#include "edgec_pace.h"

#include "edgec_hal.h"
#include "edgec_link.h"
#include "edgec_reply.h"

#define MAX_MS 5000u

/* A timer that stands still for so many readings will not go on. */
#define STILL_READINGS 1000000u

/* Runs the timer until `ticks` have passed; returns how many did. */
static uint64_t let_pass(uint64_t ticks)
{
    edgec_hal_timer_start();
    const uint64_t start = edgec_hal_timer_read();
    uint64_t passed = 0;
    uint32_t still = 0;
    while (passed < ticks && still < STILL_READINGS) {
        const uint64_t now = edgec_hal_timer_read() - start;
        still = now == passed ? still + 1u : 0u;
        passed = now;
    }
    edgec_hal_timer_stop();
    return passed;
}

void edgec_pace_answer(const uint8_t *payload, size_t bytes)
{
    if (bytes != 2) {
        edgec_reply_fail(EDGEC_ERROR_LENGTH);
        return;
    }
    const uint32_t ms = (uint32_t)payload[0] | ((uint32_t)payload[1] << 8);
    if (ms > MAX_MS) {
        edgec_reply_fail(EDGEC_ERROR_RANGE);
        return;
    }
    edgec_reply_64(let_pass((uint64_t)edgec_hal_timer_hz() * ms / 1000u));
}
