/* nRF51 and nRF52: crystal clock, flash cache and the plain UART, which both have at one address.
 * Sections are those of the nRF52840 product specification, and of the nRF51 series manual ("RM"). */
#include "edgec_board.h"
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

/* CLOCK: 5.4, RM 13. */
#define CLOCK_HFCLKSTART 0x40000000u
#define CLOCK_HFCLKSTARTED 0x40000100u

/* UART: 6.33, RM 29. */
#define UART_STARTRX 0x40002000u
#define UART_STARTTX 0x40002008u
#define UART_RXDRDY 0x40002108u
#define UART_TXDRDY 0x4000211Cu
#define UART_ENABLE 0x40002500u
#define UART_ENABLED 4u
#define UART_PSELRTS 0x40002508u
#define UART_PSELTXD 0x4000250Cu
#define UART_PSELCTS 0x40002510u
#define UART_PSELRXD 0x40002514u
#define UART_RXD 0x40002518u
#define UART_TXD 0x4000251Cu
#define UART_BAUDRATE 0x40002524u
#define UART_CONFIG 0x4000256Cu
#define NO_PIN 0xFFFFFFFFu

/* GPIO: 6.9, RM 14; the second port, 6.9.2. */
#define GPIO_PORT(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define GPIO_OUTSET(pin) (GPIO_PORT(pin) + 0x508u)
#define GPIO_DIRSET(pin) (GPIO_PORT(pin) + 0x518u)
#define GPIO_PIN_CNF(pin) (GPIO_PORT(pin) + 0x700u + 4u * ((pin) % 32u))
#define GPIO_INPUT_PULLED_UP (3u << 2)

static void set_clock(void)
{
    /* The core runs from the RC oscillator until the crystal takes over, and at the same speed. */
    EDGEC_REG(CLOCK_HFCLKSTARTED) = 0;
    EDGEC_REG(CLOCK_HFCLKSTART) = 1;
    (void)edgec_wait(CLOCK_HFCLKSTARTED, 1u, 1u);
#if defined(NVMC_ICACHECNF)
    EDGEC_REG(NVMC_ICACHECNF) = 1;
#endif
}

static void start_uart(void)
{
    EDGEC_REG(GPIO_OUTSET(TX_PIN)) = 1u << (TX_PIN % 32u);
    EDGEC_REG(GPIO_DIRSET(TX_PIN)) = 1u << (TX_PIN % 32u);
    EDGEC_REG(GPIO_PIN_CNF(RX_PIN)) = GPIO_INPUT_PULLED_UP;
    EDGEC_REG(UART_ENABLE) = 0;
    EDGEC_REG(UART_PSELRTS) = NO_PIN;
    EDGEC_REG(UART_PSELCTS) = NO_PIN;
    EDGEC_REG(UART_PSELTXD) = TX_PIN;
    EDGEC_REG(UART_PSELRXD) = RX_PIN;
    EDGEC_REG(UART_CONFIG) = 0;
    EDGEC_REG(UART_BAUDRATE) = UART_BAUDRATE_115200;
    EDGEC_REG(UART_ENABLE) = UART_ENABLED;
    EDGEC_REG(UART_RXDRDY) = 0;
    EDGEC_REG(UART_STARTRX) = 1;
    EDGEC_REG(UART_STARTTX) = 1;
}

#if EDGEC_BAUD != 115200
#error "the table of baud rates has one row"
#endif

void edgec_hal_init(void)
{
    set_clock();
    start_uart();
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return EDGEC_CORE_HZ;
}

int edgec_hal_getc(void)
{
    while (EDGEC_REG(UART_RXDRDY) == 0) {
    }
    /* In this order: taking a byte of the FIFO announces the next. */
    EDGEC_REG(UART_RXDRDY) = 0;
    return (int)(EDGEC_REG(UART_RXD) & 0xFFu);
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        EDGEC_REG(UART_TXDRDY) = 0;
        EDGEC_REG(UART_TXD) = data[i];
        while (EDGEC_REG(UART_TXDRDY) == 0) {
        }
    }
}
