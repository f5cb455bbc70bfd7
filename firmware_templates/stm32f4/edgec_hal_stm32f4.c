/* STM32F405, F407 and F446: clock tree and USART. RM0090 is the manual of the first two, RM0390 of
 * the last; the sections named are RM0090's, and RM0390's where it differs. */
#include "edgec_board.h"
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

#define HSI_HZ 16000000u

/* RCC: RM0090 7.3, RM0390 6.3. */
#define RCC 0x40023800u
#define RCC_CR (RCC + 0x00u)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR (RCC + 0x04u)
#define RCC_CFGR (RCC + 0x08u)
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_4 (5u << 10)
#define RCC_CFGR_PPRE2_2 (4u << 13)
#define RCC_AHB1ENR (RCC + 0x30u)
#define RCC_APB1ENR (RCC + 0x40u)
#define RCC_APB1ENR_PWREN (1u << 28)

/* PWR: RM0090 5.4, RM0390 5.4. */
#define PWR_CR 0x40007000u
#define PWR_CSR 0x40007004u
#define PWR_CR_VOS_SCALE_1 (3u << 14) /* one bit on F405 and F407, where the other is reserved */
#define PWR_CR_ODEN (1u << 16)
#define PWR_CR_ODSWEN (1u << 17)
#define PWR_CSR_ODRDY (1u << 16)
#define PWR_CSR_ODSWRDY (1u << 17)

/* FLASH_ACR: RM0090 3.9.1, wait states 3.5.1: 5 up to 168 and 180 MHz at 2.7 V or more. */
#define FLASH_ACR 0x40023C00u
#define FLASH_ACR_5WS 5u
#define FLASH_ACR_PREFETCH_AND_CACHES (7u << 8)

/* USART: RM0090 30.6. */
#define USART_SR (USART + 0x00u)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TXE (1u << 7)
#define USART_DR (USART + 0x04u)
#define USART_BRR (USART + 0x08u)
#define USART_CR1 (USART + 0x0Cu)
#define USART_CR1_UE_TE_RE ((1u << 13) | (1u << 3) | (1u << 2))

/* GPIO: RM0090 8.4. */
#define GPIO_MODER (GPIO + 0x00u)
#define GPIO_PUPDR (GPIO + 0x0Cu)
#define GPIO_AFRL (GPIO + 0x20u)

static uint32_t core_hz = HSI_HZ;

/* Only the F446 can go above 168 MHz: over-drive, RM0390 5.1.4. */
static int over_drive(void)
{
#if EDGEC_CORE_HZ > 168000000u
    EDGEC_REG(PWR_CR) |= PWR_CR_ODEN;
    if (!edgec_wait(PWR_CSR, PWR_CSR_ODRDY, PWR_CSR_ODRDY)) {
        return 0;
    }
    EDGEC_REG(PWR_CR) |= PWR_CR_ODSWEN;
    return edgec_wait(PWR_CSR, PWR_CSR_ODSWRDY, PWR_CSR_ODSWRDY);
#else
    return 1;
#endif
}

/* HSI 16 MHz / 8 gives the PLL 2 MHz, RM0090 7.3.2; times N, by 2: N is the core's MHz. It is from
 * the HSI, which is there on every board and good to 1 %, as the host checks. */
static int start_pll(void)
{
    EDGEC_REG(RCC_APB1ENR) |= RCC_APB1ENR_PWREN;
    EDGEC_REG(PWR_CR) |= PWR_CR_VOS_SCALE_1;
    EDGEC_REG(RCC_PLLCFGR) = 8u | ((EDGEC_CORE_HZ / 1000000u) << 6) | (8u << 24) | (2u << 28);
    EDGEC_REG(RCC_CR) |= RCC_CR_PLLON;
    return over_drive() && edgec_wait(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

/* Where the PLL does not start the core stays on the HSI, and says so: its clock is in HELLO. */
static void set_clock(void)
{
    const int ready = start_pll();
    EDGEC_REG(FLASH_ACR) = FLASH_ACR_PREFETCH_AND_CACHES | FLASH_ACR_5WS;
    if (!ready) {
        return;
    }
    EDGEC_REG(RCC_CFGR) = RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2;
    EDGEC_REG(RCC_CFGR) |= RCC_CFGR_SW_PLL;
    if (edgec_wait(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        core_hz = EDGEC_CORE_HZ;
    }
}

static void start_usart(void)
{
    EDGEC_REG(RCC_AHB1ENR) |= GPIO_CLOCK;
    EDGEC_REG(USART_CLOCK_REGISTER) |= USART_CLOCK;
    edgec_set(GPIO_MODER, 15u << (2u * GPIO_TX_PIN), 10u << (2u * GPIO_TX_PIN));
    edgec_set(GPIO_PUPDR, 15u << (2u * GPIO_TX_PIN), 5u << (2u * GPIO_TX_PIN));
    edgec_set(GPIO_AFRL, 0xFFu << (4u * GPIO_TX_PIN), (GPIO_AF * 0x11u) << (4u * GPIO_TX_PIN));
    const uint32_t hz = core_hz == HSI_HZ ? HSI_HZ : core_hz / USART_DIVIDER;
    EDGEC_REG(USART_BRR) = (hz + EDGEC_BAUD / 2u) / EDGEC_BAUD;
    EDGEC_REG(USART_CR1) = USART_CR1_UE_TE_RE;
}

void edgec_hal_init(void)
{
    set_clock();
    start_usart();
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
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
