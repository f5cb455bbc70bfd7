/* Registers, by their names in the manuals: "USART registers" and "GPIO registers", which are 31.8 and
 * 6.4 in RM0385 (F7), the same names in RM0432 (L4+), RM0433 (H7) and RM0456 (U5). Without FIFOs they
 * are alike. edgec_board.h says which USART and pins; the receiver's is next to the transmitter's. */
#include "edgec_usart.h"

#include "edgec_board.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

#define USART_CR1 (USART + 0x00u)
#define USART_CR1_TE_RE ((1u << 3) | (1u << 2))
#define USART_CR1_UE (1u << 0)
#define USART_BRR (USART + 0x0Cu)
#define USART_ISR (USART + 0x1Cu)
#define USART_ISR_ORE (1u << 3)
#define USART_ISR_RXNE (1u << 5)
#define USART_ISR_TXE (1u << 7)
#define USART_ICR (USART + 0x20u)
#define USART_RDR (USART + 0x24u)
#define USART_TDR (USART + 0x28u)

#define GPIO_MODER (GPIO + 0x00u)
#define GPIO_PUPDR (GPIO + 0x0Cu)
#define GPIO_AFR(pin) (GPIO + 0x20u + 4u * ((pin) / 8u))

static void connect_pin(uint32_t pin)
{
    edgec_set(GPIO_AFR(pin), 15u << (4u * (pin % 8u)), GPIO_AF << (4u * (pin % 8u)));
    edgec_set(GPIO_PUPDR, 3u << (2u * pin), 1u << (2u * pin));
    edgec_set(GPIO_MODER, 3u << (2u * pin), 2u << (2u * pin));
}

void edgec_usart_start(uint32_t divider)
{
    EDGEC_REG(GPIO_CLOCK_REGISTER) |= GPIO_CLOCK;
    EDGEC_REG(USART_CLOCK_REGISTER) |= USART_CLOCK;
    (void)EDGEC_REG(USART_CLOCK_REGISTER); /* a clock is there two cycles after its bit */
    connect_pin(GPIO_TX_PIN);
    connect_pin(GPIO_TX_PIN + 1u);
    EDGEC_REG(USART_CR1) = 0;
    EDGEC_REG(USART_BRR) = divider;
    EDGEC_REG(USART_CR1) = USART_CR1_TE_RE;
    EDGEC_REG(USART_CR1) = USART_CR1_TE_RE | USART_CR1_UE;
}

int edgec_hal_getc(void)
{
    for (;;) {
        const uint32_t state = EDGEC_REG(USART_ISR);
        if ((state & USART_ISR_ORE) != 0) {
            /* A byte was lost: its frame's checksum will tell. */
            EDGEC_REG(USART_ICR) = USART_ISR_ORE;
        }
        if ((state & USART_ISR_RXNE) != 0) {
            return (int)(EDGEC_REG(USART_RDR) & 0xFFu);
        }
    }
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        while ((EDGEC_REG(USART_ISR) & USART_ISR_TXE) == 0) {
        }
        EDGEC_REG(USART_TDR) = data[i];
    }
}
