/* How fast the timer really runs: the host lets it run for a while and looks at its own clock. */
#ifndef EDGEC_PACE_H
#define EDGEC_PACE_H

#include <stddef.h>
#include <stdint.h>

/* Answers CLOCK. Payload: u16 milliseconds by the device's own clock. Reply: u64 ticks. */
void edgec_pace_answer(const uint8_t *payload, size_t bytes);

#endif
