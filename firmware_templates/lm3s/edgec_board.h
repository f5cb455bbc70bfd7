/* Stellaris LM3S6965 evaluation board: UART0 is the debugger's second channel. Data sheet 12.5. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#define UART_BASE 0x4000C000u

#endif
