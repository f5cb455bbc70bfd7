/* Arm's PrimeCell UART, which Stellaris and Raspberry Pi chips have. */
#ifndef EDGEC_PL011_H
#define EDGEC_PL011_H

#include <stdint.h>

/* Starts the UART at UART_BASE of edgec_board.h, which is clocked with `hz`. */
void edgec_pl011_start(uint32_t hz);

#endif
