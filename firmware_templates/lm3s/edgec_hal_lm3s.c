/* Stellaris LM3S6965: clock and UART0. Sections are those of its data sheet, DS-LM3S6965. */
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

#define OSCILLATOR_HZ 12000000u /* the internal one, which runs after reset */

/* System control: 5.4. */
#define RIS 0x400FE050u
#define RIS_PLLLRIS (1u << 6)
#define RCC 0x400FE060u
#define RCC_SYSDIV (15u << 23)
#define RCC_SYSDIV_4 (3u << 23) /* 200 MHz by 4 */
#define RCC_USESYSDIV (1u << 22)
#define RCC_PWRDN (1u << 13)
#define RCC_BYPASS (1u << 11)
#define RCC_XTAL (31u << 6)
#define RCC_XTAL_8MHZ (14u << 6)
#define RCC_OSCSRC (3u << 4) /* 0 is the crystal */
#define RCC_MOSCDIS (1u << 0)
#define RCGC1 0x400FE104u
#define RCGC1_UART0 (1u << 0)
#define RCGC2 0x400FE108u
#define RCGC2_GPIOA (1u << 0)

/* GPIO port A: 8.5. */
#define GPIOA_AFSEL 0x40004420u
#define GPIOA_DEN 0x4000451Cu
#define PA0_PA1 3u

/* UART0: 12.5. */
#define UART_DR 0x4000C000u
#define UART_FR 0x4000C018u
#define UART_FR_RXFE (1u << 4)
#define UART_FR_TXFF (1u << 5)
#define UART_IBRD 0x4000C024u
#define UART_FBRD 0x4000C028u
#define UART_LCRH 0x4000C02Cu
#define UART_LCRH_8BITS_FIFOS ((3u << 5) | (1u << 4))
#define UART_CTL 0x4000C030u
#define UART_CTL_RXE_TXE_UARTEN ((1u << 9) | (1u << 8) | (1u << 0))

#if EDGEC_CORE_HZ != 50000000u
#error "the PLL is set for 50 MHz"
#endif

static uint32_t core_hz = OSCILLATOR_HZ;

/* The steps of 5.3. The board has an 8 MHz crystal, which takes up to 20 ms to start. */
static void set_clock(void)
{
    EDGEC_REG(RCC) = (EDGEC_REG(RCC) | RCC_BYPASS) & ~(RCC_USESYSDIV | RCC_MOSCDIS);
    for (uint32_t i = 0; i < 80000u; ++i) {
        __asm__ volatile("nop");
    }
    edgec_set(RCC, RCC_XTAL | RCC_OSCSRC | RCC_PWRDN, RCC_XTAL_8MHZ);
    edgec_set(RCC, RCC_SYSDIV, RCC_SYSDIV_4 | RCC_USESYSDIV);
    if (edgec_wait(RIS, RIS_PLLLRIS, RIS_PLLLRIS)) {
        EDGEC_REG(RCC) &= ~RCC_BYPASS;
        core_hz = EDGEC_CORE_HZ;
    } else {
        edgec_set(RCC, RCC_USESYSDIV | RCC_OSCSRC, 1u << 4); /* back to the internal oscillator */
    }
}

static void start_uart(void)
{
    EDGEC_REG(RCGC1) |= RCGC1_UART0;
    EDGEC_REG(RCGC2) |= RCGC2_GPIOA;
    (void)EDGEC_REG(RCGC2); /* three cycles until the port answers, 5.2.6 */
    (void)EDGEC_REG(RCGC2);
    EDGEC_REG(GPIOA_AFSEL) |= PA0_PA1;
    EDGEC_REG(GPIOA_DEN) |= PA0_PA1;
    /* 12.3.2: the divider is in 64ths of 16 bits' time. */
    const uint32_t divider = (core_hz * 4u + EDGEC_BAUD / 2u) / EDGEC_BAUD;
    EDGEC_REG(UART_CTL) = 0;
    EDGEC_REG(UART_IBRD) = divider / 64u;
    EDGEC_REG(UART_FBRD) = divider % 64u;
    EDGEC_REG(UART_LCRH) = UART_LCRH_8BITS_FIFOS;
    EDGEC_REG(UART_CTL) = UART_CTL_RXE_TXE_UARTEN;
}

void edgec_hal_init(void)
{
    set_clock();
    start_uart();
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
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
