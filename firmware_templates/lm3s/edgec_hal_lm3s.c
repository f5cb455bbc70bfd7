/* Stellaris LM3S6965: clock and UART0. Sections are those of its data sheet, DS-LM3S6965. */
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_pl011.h"
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

static void connect_pins(void)
{
    EDGEC_REG(RCGC1) |= RCGC1_UART0;
    EDGEC_REG(RCGC2) |= RCGC2_GPIOA;
    (void)EDGEC_REG(RCGC2); /* three cycles until the port answers, 5.2.6 */
    (void)EDGEC_REG(RCGC2);
    EDGEC_REG(GPIOA_AFSEL) |= PA0_PA1;
    EDGEC_REG(GPIOA_DEN) |= PA0_PA1;
}

void edgec_hal_init(void)
{
    set_clock();
    connect_pins();
    edgec_pl011_start(core_hz);
    edgec_cycles_choose();
}

uint32_t edgec_core_hz(void)
{
    return core_hz;
}
