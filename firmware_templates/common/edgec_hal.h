/* What a board family must provide; everything else in the firmware is portable. */
#ifndef EDGEC_HAL_H
#define EDGEC_HAL_H

#include <stddef.h>
#include <stdint.h>

/* What counts: the kinds from EDGEC_TIMER_DWT on tick with the core's clock. */
enum {
    EDGEC_TIMER_NONE = 0,    /* nothing moves: no time can be told */
    EDGEC_TIMER_VIRTUAL = 1, /* ticks follow executed instructions: an emulator's own timer */
    EDGEC_TIMER_NANOSECONDS = 2,
    EDGEC_TIMER_DWT = 3,     /* Cortex-M: the cycle counter of the debug unit */
    EDGEC_TIMER_SYSTICK = 4, /* Cortex-M: the system tick, its overflows counted */
    EDGEC_TIMER_OTHER = 5,   /* a timer of the chip that has the core's clock */
    EDGEC_TIMER_CPU = 6      /* a cycle counter in the core, as in Xtensa and RISC-V */
};

void edgec_hal_init(void);

/* Waits for a byte from the host; negative when the host is gone for good. */
int edgec_hal_getc(void);
void edgec_hal_write(const uint8_t *data, size_t bytes);

/* Starts the timer from any value; it is stopped outside measurements, and may be read then too. */
void edgec_hal_timer_start(void);
uint64_t edgec_hal_timer_read(void);
void edgec_hal_timer_stop(void);
uint32_t edgec_hal_timer_hz(void);
uint8_t edgec_hal_timer_kind(void);

/* Lowest address the stack may use, and how much of it may be painted. */
uintptr_t edgec_hal_stack_limit(void);

/* Most memory that the process has had, in KiB; boards need not define it. */
uint32_t edgec_hal_peak_kib(void);

#endif
