/* The USART and LPUART of every STM32 but the oldest families. */
#ifndef EDGEC_USART_H
#define EDGEC_USART_H

#include <stdint.h>

/* What to write to BRR of a USART that is clocked with `hz`. */
#define EDGEC_USART_DIVIDER(hz) (((hz) + EDGEC_BAUD / 2u) / EDGEC_BAUD)

/* The same of an LPUART, whose divider has 256ths. */
#define EDGEC_LPUART_DIVIDER(hz) ((uint32_t)(((hz) * 256ull + EDGEC_BAUD / 2u) / EDGEC_BAUD))

/* Connects the pins that edgec_board.h names and starts the receiver and the transmitter. */
void edgec_usart_start(uint32_t divider);

#endif
