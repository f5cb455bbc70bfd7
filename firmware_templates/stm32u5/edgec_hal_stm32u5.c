/* STM32U575: clock tree and instruction cache. Registers are named as in RM0456: FLASH in chapter 7,
 * ICACHE in 8, PWR in 10, RCC in 11. Security (TZEN) is off, as delivered. */
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"
#include "edgec_usart.h"

#define RESET_HZ 4000000u /* the MSIS, which runs after reset */

#define RCC_CR 0x46020C00u
#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CR_PLL1ON (1u << 24)
#define RCC_CR_PLL1RDY (1u << 25)
#define RCC_CFGR1 0x46020C1Cu
#define RCC_CFGR1_SW_PLL1 3u
#define RCC_CFGR1_SWS (3u << 2)
#define RCC_CFGR1_SWS_PLL1 (3u << 2)
#define RCC_PLL1CFGR 0x46020C28u
#define RCC_PLL1CFGR_HSI (2u << 0)
#define RCC_PLL1CFGR_8_TO_16_MHZ (3u << 2) /* M and MBOOST are 0: by 1 */
#define RCC_PLL1CFGR_REN (1u << 18)
#define RCC_PLL1DIVR 0x46020C34u
#define RCC_PLL1DIVR_N_20_R_2 (19u | (1u << 9) | (1u << 16) | (1u << 24))
#define RCC_AHB3ENR 0x46020C94u
#define RCC_AHB3ENR_PWREN (1u << 2)

#define PWR_VOSR 0x4602080Cu
#define PWR_VOSR_BOOSTRDY (1u << 14)
#define PWR_VOSR_VOSRDY (1u << 15)
#define PWR_VOSR_VOS_RANGE_1 (3u << 16)
#define PWR_VOSR_BOOSTEN (1u << 18)

#define FLASH_ACR 0x40022000u
#define FLASH_ACR_PRFTEN_4WS ((1u << 8) | 4u) /* up to 160 MHz in range 1 */

#define ICACHE_CR 0x40030400u
#define ICACHE_CR_EN (1u << 0)
#define ICACHE_SR 0x40030404u
#define ICACHE_SR_BUSYF (1u << 0)

#if EDGEC_CORE_HZ != 160000000u
#error "the PLL is set for 160 MHz"
#endif

static uint32_t core_hz = RESET_HZ;

/* The booster of the regulator, wanted above 55 MHz, is clocked by the PLL's source: HSI 16 MHz. */
static int raise_voltage(void)
{
    EDGEC_REG(RCC_AHB3ENR) |= RCC_AHB3ENR_PWREN;
    EDGEC_REG(RCC_CR) |= RCC_CR_HSION;
    if (!edgec_wait(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    EDGEC_REG(RCC_PLL1CFGR) = RCC_PLL1CFGR_HSI | RCC_PLL1CFGR_8_TO_16_MHZ;
    EDGEC_REG(PWR_VOSR) |= PWR_VOSR_VOS_RANGE_1;
    if (!edgec_wait(PWR_VOSR, PWR_VOSR_VOSRDY, PWR_VOSR_VOSRDY)) {
        return 0;
    }
    EDGEC_REG(PWR_VOSR) |= PWR_VOSR_BOOSTEN;
    return edgec_wait(PWR_VOSR, PWR_VOSR_BOOSTRDY, PWR_VOSR_BOOSTRDY);
}

/* HSI 16 MHz * 20 / 2. */
static int start_pll(void)
{
    EDGEC_REG(RCC_PLL1DIVR) = RCC_PLL1DIVR_N_20_R_2;
    EDGEC_REG(RCC_PLL1CFGR) |= RCC_PLL1CFGR_REN;
    EDGEC_REG(RCC_CR) |= RCC_CR_PLL1ON;
    return edgec_wait(RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY);
}

static void set_clock(void)
{
    if (edgec_wait(ICACHE_SR, ICACHE_SR_BUSYF, 0)) {
        EDGEC_REG(ICACHE_CR) |= ICACHE_CR_EN;
    }
    if (!raise_voltage() || !start_pll()) {
        return;
    }
    EDGEC_REG(FLASH_ACR) = FLASH_ACR_PRFTEN_4WS;
    if (!edgec_wait(FLASH_ACR, 15u, 4u)) {
        return;
    }
    EDGEC_REG(RCC_CFGR1) |= RCC_CFGR1_SW_PLL1;
    if (edgec_wait(RCC_CFGR1, RCC_CFGR1_SWS, RCC_CFGR1_SWS_PLL1)) {
        core_hz = EDGEC_CORE_HZ;
    }
}

void edgec_hal_init(void)
{
    set_clock();
    edgec_usart_start(EDGEC_USART_DIVIDER(core_hz)); /* APB2 runs with the core */
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
}
