/* Core cycles on a Cortex-M, by whatever counts them on this chip. */
#ifndef EDGEC_CYCLES_H
#define EDGEC_CYCLES_H

#include <stdint.h>

/* Chooses what counts: DWT, else the chip's own timer, else SysTick; call when clocks are set. */
void edgec_cycles_choose(void);

/* The family defines it: what the core's clock is now. */
uint32_t edgec_core_hz(void);

#if defined(EDGEC_OTHER_TIMER)
/* A family whose chips lack SysTick defines them: a timer of 32 bits at the core's clock. */
void edgec_other_timer_start(void);
uint32_t edgec_other_timer_read(void);
void edgec_other_timer_stop(void);
#endif

#endif
