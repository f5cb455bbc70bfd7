/* RP2040 and RP2350: crystal, PLL and UART0 on GP0 and GP1. Sections of the RP2040 data sheet, then of
 * the RP2350's: resets 2.14 and 7.5, crystal 2.16 and 8.2, PLL 2.18 and 8.6, clocks 2.15 and 8.1, pins
 * 2.19 and 9.11. Only one core runs; the other waits in the boot ROM. */
#include "edgec_board.h"
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_pl011.h"
#include "edgec_registers.h"

#define CRYSTAL_HZ 12000000u

#define RESETS_RESET (RESETS_BASE + 0x0u)
#define RESETS_DONE (RESETS_BASE + 0x8u)

#define XOSC_CTRL (XOSC_BASE + 0x0u)
#define XOSC_CTRL_ENABLE_15MHZ ((0xFABu << 12) | 0xAA0u)
#define XOSC_STATUS (XOSC_BASE + 0x4u)
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP (XOSC_BASE + 0xCu)
#define XOSC_STARTUP_1MS 47u /* 256 cycles of 12 MHz each */

#define PLL_CS (PLL_SYS_BASE + 0x0u)
#define PLL_CS_LOCK (1u << 31)
#define PLL_PWR (PLL_SYS_BASE + 0x4u)
#define PLL_PWR_PD_VCOPD ((1u << 5) | (1u << 0))
#define PLL_PWR_POSTDIVPD (1u << 3)
#define PLL_FBDIV (PLL_SYS_BASE + 0x8u)
#define PLL_PRIM (PLL_SYS_BASE + 0xCu)

#define CLK_REF_CTRL (CLOCKS_BASE + 0x30u)
#define CLK_REF_XOSC 2u
#define CLK_REF_SELECTED (CLOCKS_BASE + 0x38u)
#define CLK_SYS_CTRL (CLOCKS_BASE + 0x3Cu)
#define CLK_SYS_AUX_PLL_SYS 1u
#define CLK_SYS_SELECTED (CLOCKS_BASE + 0x44u)
#define CLK_PERI_CTRL (CLOCKS_BASE + 0x48u)
#define CLK_PERI_ENABLE_SYS (1u << 11)

#define GPIO_CTRL(pin) (IO_BANK0_BASE + 8u * (pin) + 4u)
#define GPIO_CTRL_UART 2u
#define PAD(pin) (PADS_BANK0_BASE + 4u * (pin) + 4u)
#define PAD_INPUT (1u << 6)
#define PAD_OUTPUT_DISABLE (1u << 7)
#define PAD_ISOLATED (1u << 8) /* RP2350: until software says that the pin is set up */

static uint32_t core_hz = CRYSTAL_HZ;

static int leave_reset(uint32_t blocks)
{
    EDGEC_REG(RESETS_RESET) &= ~blocks;
    return edgec_wait(RESETS_DONE, blocks, blocks);
}

/* The boot ROM leaves the core on the ring oscillator, whose rate nobody knows. */
static int start_crystal(void)
{
    EDGEC_REG(XOSC_STARTUP) = XOSC_STARTUP_1MS;
    EDGEC_REG(XOSC_CTRL) = XOSC_CTRL_ENABLE_15MHZ;
    if (!edgec_wait(XOSC_STATUS, XOSC_STATUS_STABLE, XOSC_STATUS_STABLE)) {
        return 0;
    }
    EDGEC_REG(CLK_REF_CTRL) = CLK_REF_XOSC;
    if (!edgec_wait(CLK_REF_SELECTED, 1u << CLK_REF_XOSC, 1u << CLK_REF_XOSC)) {
        return 0;
    }
    EDGEC_REG(CLK_SYS_CTRL) = 0; /* the reference clock, which is now the crystal */
    return edgec_wait(CLK_SYS_SELECTED, 1u, 1u);
}

static int start_pll(void)
{
    if (!leave_reset(RESETS_PLL_SYS)) {
        return 0;
    }
    EDGEC_REG(PLL_CS) = 1; /* the crystal by 1 */
    EDGEC_REG(PLL_FBDIV) = 125u;
    EDGEC_REG(PLL_PWR) &= ~PLL_PWR_PD_VCOPD;
    if (!edgec_wait(PLL_CS, PLL_CS_LOCK, PLL_CS_LOCK)) {
        return 0;
    }
    EDGEC_REG(PLL_PRIM) = (PLL_POSTDIV1 << 16) | (PLL_POSTDIV2 << 12);
    EDGEC_REG(PLL_PWR) &= ~PLL_PWR_POSTDIVPD;
    return 1;
}

static void set_clock(void)
{
    if (!start_crystal() || !start_pll()) {
        return;
    }
    EDGEC_REG(CLK_SYS_CTRL) = CLK_SYS_AUX_PLL_SYS;
    if (edgec_wait(CLK_SYS_SELECTED, 2u, 2u)) {
        core_hz = EDGEC_CORE_HZ;
    }
}

static void connect_pin(uint32_t pin)
{
    edgec_set(PAD(pin), PAD_OUTPUT_DISABLE, PAD_INPUT);
    EDGEC_REG(GPIO_CTRL(pin)) = GPIO_CTRL_UART;
    EDGEC_REG(PAD(pin)) &= ~PAD_ISOLATED;
}

void edgec_hal_init(void)
{
    set_clock();
    EDGEC_REG(CLK_PERI_CTRL) = CLK_PERI_ENABLE_SYS;
    (void)leave_reset(RESETS_IO_BANK0 | RESETS_PADS_BANK0 | RESETS_UART0);
    connect_pin(0);
    connect_pin(1);
    edgec_pl011_start(core_hz);
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
}
