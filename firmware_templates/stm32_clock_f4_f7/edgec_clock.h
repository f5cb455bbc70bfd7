/* The clock tree that STM32F4 and STM32F7 share. */
#ifndef EDGEC_CLOCK_H
#define EDGEC_CLOCK_H

#include <stdint.h>

#define EDGEC_HSI_HZ 16000000u

/* Starts the PLL and runs the core from it, at EDGEC_CORE_HZ if it starts. */
void edgec_clock_start(void);

/* The clock of a USART whose bus runs at the core's by `divider` once the PLL runs. */
uint32_t edgec_bus_hz(uint32_t divider);

#endif
