/* STM32H743: clock tree and caches. Registers are named as in RM0433: FLASH in chapter 4, PWR in 6,
 * RCC in 8. 400 MHz is what every revision can do at voltage scale 1; 480 MHz needs scale 0, which
 * only revision V has. */
#include "edgec_caches.h"
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_registers.h"
#include "edgec_usart.h"

#define HSI_HZ 64000000u

#define RCC_CR 0x58024400u
#define RCC_CR_PLL1ON (1u << 24)
#define RCC_CR_PLL1RDY (1u << 25)
#define RCC_CFGR 0x58024410u
#define RCC_CFGR_SW_PLL1 3u
#define RCC_CFGR_SWS (7u << 3)
#define RCC_CFGR_SWS_PLL1 (3u << 3)
#define RCC_D1CFGR 0x58024418u
#define RCC_D1CFGR_HPRE_2_D1PPRE_2 ((4u << 4) | (8u << 0))
#define RCC_D2CFGR 0x5802441Cu
#define RCC_D2CFGR_D2PPRE1_2_D2PPRE2_2 ((4u << 8) | (4u << 4))
#define RCC_D3CFGR 0x58024420u
#define RCC_D3CFGR_D3PPRE_2 (4u << 4)
#define RCC_PLLCKSELR 0x58024428u
#define RCC_PLLCKSELR_HSI_M1_8 (8u << 4)
#define RCC_PLLCFGR 0x5802442Cu
#define RCC_PLLCFGR_P1_RANGE_8_TO_16_MHZ ((1u << 16) | (3u << 2))
#define RCC_PLL1DIVR 0x58024430u
#define RCC_PLL1DIVR_N_100_P_2 ((1u << 9) | 99u | (1u << 16) | (1u << 24))

#define PWR_CSR1 0x58024804u
#define PWR_CSR1_ACTVOSRDY (1u << 13)
#define PWR_CR3 0x5802480Cu
#define PWR_CR3_SUPPLY 7u
#define PWR_CR3_LDOEN (1u << 1)
#define PWR_D3CR 0x58024818u
#define PWR_D3CR_VOS_SCALE_1 (3u << 14)
#define PWR_D3CR_VOSRDY (1u << 13)

#define FLASH_ACR 0x52002000u
#define FLASH_ACR_2WS_WRHIGHFREQ_2 ((2u << 4) | 2u) /* 4.3.8: up to 210 MHz of AXI at scale 1 */

#if EDGEC_CORE_HZ != 400000000u
#error "the PLL is set for 400 MHz"
#endif

static uint32_t core_hz = HSI_HZ;

/* The core is supplied by the LDO, and at the highest voltage. */
static int raise_voltage(void)
{
    edgec_set(PWR_CR3, PWR_CR3_SUPPLY, PWR_CR3_LDOEN);
    if (!edgec_wait(PWR_CSR1, PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY)) {
        return 0;
    }
    EDGEC_REG(PWR_D3CR) |= PWR_D3CR_VOS_SCALE_1;
    return edgec_wait(PWR_D3CR, PWR_D3CR_VOSRDY, PWR_D3CR_VOSRDY);
}

/* HSI 64 MHz / 8 * 100 / 2. The buses run at half of that, peripherals at a quarter. */
static int start_pll(void)
{
    EDGEC_REG(RCC_PLLCKSELR) = RCC_PLLCKSELR_HSI_M1_8;
    EDGEC_REG(RCC_PLLCFGR) = RCC_PLLCFGR_P1_RANGE_8_TO_16_MHZ;
    EDGEC_REG(RCC_PLL1DIVR) = RCC_PLL1DIVR_N_100_P_2;
    EDGEC_REG(RCC_CR) |= RCC_CR_PLL1ON;
    return edgec_wait(RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY);
}

static void set_clock(void)
{
    if (!raise_voltage() || !start_pll()) {
        return;
    }
    EDGEC_REG(FLASH_ACR) = FLASH_ACR_2WS_WRHIGHFREQ_2;
    EDGEC_REG(RCC_D1CFGR) = RCC_D1CFGR_HPRE_2_D1PPRE_2;
    EDGEC_REG(RCC_D2CFGR) = RCC_D2CFGR_D2PPRE1_2_D2PPRE2_2;
    EDGEC_REG(RCC_D3CFGR) = RCC_D3CFGR_D3PPRE_2;
    EDGEC_REG(RCC_CFGR) |= RCC_CFGR_SW_PLL1;
    if (edgec_wait(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL1)) {
        core_hz = EDGEC_CORE_HZ;
    } else {
        EDGEC_REG(RCC_D1CFGR) = 0;
        EDGEC_REG(RCC_D2CFGR) = 0;
    }
}

void edgec_hal_init(void)
{
    edgec_caches_enable();
    set_clock();
    edgec_usart_start(EDGEC_USART_DIVIDER(core_hz == HSI_HZ ? HSI_HZ : core_hz / 4u));
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
}
