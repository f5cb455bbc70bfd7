/* Arm PL011: its manual is DDI0183, registers 3.3. */
#include "edgec_pl011.h"

#include "edgec_board.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

#define UART_DR (UART_BASE + 0x00u)
#define UART_FR (UART_BASE + 0x18u)
#define UART_FR_RXFE (1u << 4)
#define UART_FR_TXFF (1u << 5)
#define UART_IBRD (UART_BASE + 0x24u)
#define UART_FBRD (UART_BASE + 0x28u)
#define UART_LCRH (UART_BASE + 0x2Cu)
#define UART_LCRH_8BITS_FIFOS ((3u << 5) | (1u << 4))
#define UART_CR (UART_BASE + 0x30u)
#define UART_CR_RXE_TXE_UARTEN ((1u << 9) | (1u << 8) | (1u << 0))

void edgec_pl011_start(uint32_t hz)
{
    /* The divider is in 64ths of 16 bits' time; writing LCRH takes it over. */
    const uint32_t divider = (hz * 4u + EDGEC_BAUD / 2u) / EDGEC_BAUD;
    EDGEC_REG(UART_CR) = 0;
    EDGEC_REG(UART_IBRD) = divider / 64u;
    EDGEC_REG(UART_FBRD) = divider % 64u;
    EDGEC_REG(UART_LCRH) = UART_LCRH_8BITS_FIFOS;
    EDGEC_REG(UART_CR) = UART_CR_RXE_TXE_UARTEN;
}

int edgec_hal_getc(void)
{
    while ((EDGEC_REG(UART_FR) & UART_FR_RXFE) != 0) {
    }
    return (int)(EDGEC_REG(UART_DR) & 0xFFu);
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        while ((EDGEC_REG(UART_FR) & UART_FR_TXFF) != 0) {
        }
        EDGEC_REG(UART_DR) = data[i];
    }
}
