/* STM32L4+: clock tree. Registers are named as in RM0432: FLASH in chapter 3, PWR in 5, RCC in 6. */
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"
#include "edgec_usart.h"

#define RESET_HZ 4000000u /* the MSI, which runs after reset */

#define RCC_CR 0x40021000u
#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR 0x40021008u
#define RCC_CFGR_SW_PLL 3u
#define RCC_CFGR_SWS (3u << 2)
#define RCC_CFGR_SWS_PLL (3u << 2)
#define RCC_CFGR_HPRE (15u << 4)
#define RCC_CFGR_HPRE_2 (8u << 4)
#define RCC_PLLCFGR 0x4002100Cu
#define RCC_PLLCFGR_HSI (2u << 0)
#define RCC_PLLCFGR_M_4 (3u << 4)
#define RCC_PLLCFGR_N_60 (60u << 8)
#define RCC_PLLCFGR_R_2 (1u << 24) /* enabled, by 2 */
#define RCC_APB1ENR1 0x40021058u
#define RCC_APB1ENR1_PWREN (1u << 28)

#define PWR_CR1 0x40007000u
#define PWR_CR1_VOS (3u << 9)
#define PWR_CR1_VOS_RANGE_1 (1u << 9)
#define PWR_CR2 0x40007004u
#define PWR_CR2_IOSV (1u << 9)
#define PWR_SR2 0x40007014u
#define PWR_SR2_VOSF (1u << 10)
#define PWR_CR5 0x40007080u
#define PWR_CR5_R1MODE (1u << 8) /* 0 is boost */

#define FLASH_ACR 0x40022000u
#define FLASH_ACR_PREFETCH_AND_CACHES (7u << 8)
#define FLASH_ACR_5WS 5u /* up to 120 MHz in range 1 with boost */

#if EDGEC_CORE_HZ != 120000000u
#error "the PLL is set for 120 MHz"
#endif

static uint32_t core_hz = RESET_HZ;

/* HSI 16 MHz / 4 * 60 / 2. */
static int start_pll(void)
{
    EDGEC_REG(RCC_APB1ENR1) |= RCC_APB1ENR1_PWREN;
    (void)EDGEC_REG(RCC_APB1ENR1);
    EDGEC_REG(PWR_CR2) |= PWR_CR2_IOSV; /* port G has a supply of its own, 5.1.4 */
    edgec_set(PWR_CR1, PWR_CR1_VOS, PWR_CR1_VOS_RANGE_1);
    EDGEC_REG(PWR_CR5) &= ~PWR_CR5_R1MODE;
    EDGEC_REG(RCC_CR) |= RCC_CR_HSION;
    if (!edgec_wait(PWR_SR2, PWR_SR2_VOSF, 0) ||
        !edgec_wait(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    EDGEC_REG(RCC_PLLCFGR) = RCC_PLLCFGR_HSI | RCC_PLLCFGR_M_4 | RCC_PLLCFGR_N_60 | RCC_PLLCFGR_R_2;
    EDGEC_REG(RCC_CR) |= RCC_CR_PLLON;
    return edgec_wait(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

/* Above 80 MHz the bus runs at half speed for a microsecond after the switch, 5.1.8. */
static void set_clock(void)
{
    const int ready = start_pll();
    EDGEC_REG(FLASH_ACR) = FLASH_ACR_PREFETCH_AND_CACHES | FLASH_ACR_5WS;
    if (!ready || !edgec_wait(FLASH_ACR, 15u, FLASH_ACR_5WS)) {
        return;
    }
    EDGEC_REG(RCC_CFGR) = RCC_CFGR_HPRE_2;
    EDGEC_REG(RCC_CFGR) = RCC_CFGR_HPRE_2 | RCC_CFGR_SW_PLL;
    if (edgec_wait(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        for (uint32_t i = 0; i < 120u; ++i) {
            __asm__ volatile("nop");
        }
        core_hz = EDGEC_CORE_HZ;
    }
    EDGEC_REG(RCC_CFGR) &= ~RCC_CFGR_HPRE;
}

void edgec_hal_init(void)
{
    set_clock();
    /* LPUART1 has the clock of APB1, which is the core's: RCC_CCIPR is 0 after reset. */
    const uint32_t fast = EDGEC_LPUART_DIVIDER(EDGEC_CORE_HZ);
    edgec_usart_start(core_hz == RESET_HZ ? EDGEC_LPUART_DIVIDER(RESET_HZ) : fast);
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
}
