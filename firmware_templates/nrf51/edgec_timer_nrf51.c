/* nRF51: TIMER0 counts the core's cycles, as this chip has no SysTick. RM: its series manual, 18. */
#include "edgec_cycles.h"
#include "edgec_registers.h"

#define TIMER_START 0x40008000u
#define TIMER_STOP 0x40008004u
#define TIMER_CLEAR 0x4000800Cu
#define TIMER_CAPTURE0 0x40008040u
#define TIMER_MODE 0x40008504u /* 0: it counts the clock */
#define TIMER_BITMODE 0x40008508u /* 3: 32 bits, which only TIMER0 has */
#define TIMER_PRESCALER 0x40008510u
#define TIMER_CC0 0x40008540u

void edgec_other_timer_start(void)
{
    EDGEC_REG(TIMER_STOP) = 1;
    EDGEC_REG(TIMER_MODE) = 0;
    EDGEC_REG(TIMER_BITMODE) = 3;
    EDGEC_REG(TIMER_PRESCALER) = 0; /* 16 MHz */
    EDGEC_REG(TIMER_CLEAR) = 1;
    EDGEC_REG(TIMER_START) = 1;
}

uint32_t edgec_other_timer_read(void)
{
    EDGEC_REG(TIMER_CAPTURE0) = 1;
    return EDGEC_REG(TIMER_CC0);
}

void edgec_other_timer_stop(void)
{
    EDGEC_REG(TIMER_STOP) = 1;
}
