/* STM32F4 and STM32F7: the core from the PLL, the PLL from the HSI. The manuals are RM0090 (F405 and
 * F407), RM0390 (F446) and RM0385 (F746); registers are named as there. */
#include "edgec_clock.h"

#include "edgec_board.h"
#include "edgec_cycles.h"
#include "edgec_registers.h"

/* RCC: RM0090 7.3, RM0390 6.3, RM0385 5.3. */
#define RCC_CR 0x40023800u
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR 0x40023804u
#define RCC_CFGR 0x40023808u
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_4 (5u << 10)
#define RCC_CFGR_PPRE2_2 (4u << 13)
#define RCC_APB1ENR 0x40023840u
#define RCC_APB1ENR_PWREN (1u << 28)

/* PWR_CR and PWR_CSR, on F7 PWR_CR1 and PWR_CSR1: RM0090 5.4, RM0390 5.4, RM0385 4.4. */
#define PWR_CR 0x40007000u
#define PWR_CR_VOS_SCALE_1 (3u << 14) /* one bit on F405 and F407, where the other is reserved */
#define PWR_CR_ODEN (1u << 16)
#define PWR_CR_ODSWEN (1u << 17)
#define PWR_CSR 0x40007004u
#define PWR_CSR_ODRDY (1u << 16)
#define PWR_CSR_ODSWRDY (1u << 17)

/* FLASH_ACR: RM0090 3.9.1, RM0390 3.8.1, RM0385 3.7.1. */
#define FLASH_ACR 0x40023C00u

static uint32_t core_hz = EDGEC_HSI_HZ;

/* Above 168 MHz, which F405 and F407 cannot: over-drive, RM0390 5.1.4, RM0385 4.1.4. */
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

/* HSI by 8 gives the PLL 2 MHz; times N, by 2: N is the core's MHz. The HSI is there on every board,
 * needs no solder bridge, and is good to 1 %, as the host checks. */
static int start_pll(void)
{
    EDGEC_REG(RCC_APB1ENR) |= RCC_APB1ENR_PWREN;
    EDGEC_REG(PWR_CR) |= PWR_CR_VOS_SCALE_1;
    EDGEC_REG(RCC_PLLCFGR) = 8u | ((EDGEC_CORE_HZ / 1000000u) << 6) | (9u << 24) | (2u << 28);
    EDGEC_REG(RCC_CR) |= RCC_CR_PLLON;
    return over_drive() && edgec_wait(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

/* Where the PLL does not start the core stays on the HSI, and HELLO says so. */
void edgec_clock_start(void)
{
    const int ready = start_pll();
    EDGEC_REG(FLASH_ACR) = FLASH_ACR_FOR_CORE_HZ;
    if (!ready) {
        return;
    }
    EDGEC_REG(RCC_CFGR) = RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2;
    EDGEC_REG(RCC_CFGR) |= RCC_CFGR_SW_PLL;
    if (edgec_wait(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        core_hz = EDGEC_CORE_HZ;
    }
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
}

uint32_t edgec_bus_hz(uint32_t divider)
{
    return core_hz == EDGEC_HSI_HZ ? EDGEC_HSI_HZ : core_hz / divider;
}
