/* STM32F4: its USART, which later families replaced. RM0090 and RM0390 number sections alike here
 * but for USART, 30.6 and 25.6, and GPIO, 8.4 and 7.4. */
#include "edgec_board.h"
#include "edgec_clock.h"
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

#define USART_SR (USART + 0x00u)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TXE (1u << 7)
#define USART_DR (USART + 0x04u)
#define USART_BRR (USART + 0x08u)
#define USART_CR1 (USART + 0x0Cu)
#define USART_CR1_UE_TE_RE ((1u << 13) | (1u << 3) | (1u << 2))

#define GPIO_MODER (GPIO + 0x00u)
#define GPIO_PUPDR (GPIO + 0x0Cu)
#define GPIO_AFRL (GPIO + 0x20u)

#define RCC_AHB1ENR 0x40023830u

/* The receiver's pin is the next after the transmitter's: two fields of each register. */
static void start_usart(void)
{
    EDGEC_REG(RCC_AHB1ENR) |= GPIO_CLOCK;
    EDGEC_REG(USART_CLOCK_REGISTER) |= USART_CLOCK;
    edgec_set(GPIO_AFRL, 0xFFu << (4u * GPIO_TX_PIN), (GPIO_AF * 0x11u) << (4u * GPIO_TX_PIN));
    edgec_set(GPIO_PUPDR, 15u << (2u * GPIO_TX_PIN), 5u << (2u * GPIO_TX_PIN));
    edgec_set(GPIO_MODER, 15u << (2u * GPIO_TX_PIN), 10u << (2u * GPIO_TX_PIN));
    EDGEC_REG(USART_BRR) = (edgec_bus_hz(USART_DIVIDER) + EDGEC_BAUD / 2u) / EDGEC_BAUD;
    EDGEC_REG(USART_CR1) = USART_CR1_UE_TE_RE;
}

void edgec_hal_init(void)
{
    /* A host that speaks at once is heard already while the PLL starts. */
    start_usart();
    edgec_clock_start();
    start_usart();
    edgec_cycles_choose();
}

int edgec_hal_getc(void)
{
    while ((EDGEC_REG(USART_SR) & USART_SR_RXNE) == 0) {
    }
    return (int)(EDGEC_REG(USART_DR) & 0xFFu);
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        while ((EDGEC_REG(USART_SR) & USART_SR_TXE) == 0) {
        }
        EDGEC_REG(USART_DR) = data[i];
    }
}
