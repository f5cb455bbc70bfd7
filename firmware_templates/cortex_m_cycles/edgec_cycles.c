/* The debug unit's counter is best, but may be absent, or stand still: an emulator reads 0, and a
 * debugger that leaves may switch it off. Whether it moves is the only test that tells.
 * DWT: DDI0403 (Armv7-M) C1.8, DDI0553 (Armv8-M) D1.2; SysTick: DDI0403 B3.3, DDI0419 B3.3. */
#include "edgec_cycles.h"

#include "edgec_hal.h"
#include "edgec_registers.h"

#define DEMCR EDGEC_REG(0xE000EDFCu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL EDGEC_REG(0xE0001000u)
#define DWT_CYCCNT EDGEC_REG(0xE0001004u)
#define DWT_LAR EDGEC_REG(0xE0001FB0u) /* Cortex-M7 locks the unit: DDI0489 */
#define DWT_UNLOCK 0xC5ACCE55u

#define SYST_CSR EDGEC_REG(0xE000E010u)
#define SYST_RVR EDGEC_REG(0xE000E014u)
#define SYST_CVR EDGEC_REG(0xE000E018u)
#define SYST_ENABLE 1u
#define SYST_RUN 5u       /* counts the core's clock */
#define SYST_INTERRUPT 2u /* each time it passes 0 */
#define SYST_TOP 0xFFFFFFu
#define ICSR EDGEC_REG(0xE000ED04u)
#define ICSR_PENDSTSET (1u << 26)
#define ICSR_PENDSTCLR (1u << 25)

#define CALIBRATIONS 64u

static uint8_t kind = EDGEC_TIMER_NONE;

static uint64_t counted; /* by DWT or another timer since its start */

static volatile uint32_t overflows;
static uint32_t overflow_cost; /* cycles of CALIBRATIONS handlers */

static void pause_a_little(void)
{
    for (int i = 0; i < 32; ++i) {
        __asm__ volatile("nop");
    }
}

void edgec_systick(void)
{
    ++overflows;
}

/* Armv6-M has neither the counter nor, in part, the addresses: a fault awaits there. */
#if defined(__ARM_ARCH_6M__)

static void dwt_start(void) {}

static uint32_t dwt_read(void)
{
    return 0;
}

static int dwt_moves(void)
{
    return 0;
}

#else

static void dwt_start(void)
{
    DEMCR |= DEMCR_TRCENA;
#if defined(__ARM_ARCH_7EM__)
    DWT_LAR = DWT_UNLOCK;
#endif
    DWT_CYCCNT = 0;
    DWT_CTRL |= 1u;
}

static uint32_t dwt_read(void)
{
    return DWT_CYCCNT;
}

static int dwt_moves(void)
{
    dwt_start();
    const uint32_t before = dwt_read();
    pause_a_little();
    return dwt_read() != before;
}

#endif

static uint64_t systick_ticks(void)
{
    while ((SYST_CSR & SYST_ENABLE) != 0) {
        const uint32_t before = overflows;
        const uint32_t value = SYST_CVR;
        /* An overflow that came before the reading has its handler run here. */
        __asm__ volatile("isb" ::: "memory");
        if (value != 0 && overflows == before) {
            return ((uint64_t)before << 24) + (SYST_TOP - value);
        }
    }
    return 0;
}

static void systick_start(void)
{
    SYST_CSR = 0;
    ICSR = ICSR_PENDSTCLR;
    overflows = 0;
    SYST_RVR = SYST_TOP;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUN | SYST_INTERRUPT;
    __asm__ volatile("cpsie i" ::: "memory");
    while (SYST_CVR == 0) {
    }
}

static void systick_stop(void)
{
    SYST_CSR = 0;
    __asm__ volatile("cpsid i" ::: "memory");
}

static int systick_moves(void)
{
    SYST_RVR = SYST_TOP;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUN;
    pause_a_little();
    const uint32_t before = SYST_CVR;
    pause_a_little();
    const uint32_t after = SYST_CVR;
    SYST_CSR = 0;
    return before != after;
}

/* What writing `request` to ICSR takes, CALIBRATIONS times. */
static uint32_t time_requests(uint32_t request)
{
    systick_start();
    const uint64_t start = systick_ticks();
    for (uint32_t i = 0; i < CALIBRATIONS; ++i) {
        ICSR = request;
        __asm__ volatile("dsb\n\tisb" ::: "memory");
    }
    const uint64_t ticks = systick_ticks() - start;
    systick_stop();
    return (uint32_t)(ticks - ((uint64_t)overflows << 24));
}

/* Handlers that count overflows run inside what is measured, so their cycles are taken off. */
static void systick_calibrate(void)
{
    overflow_cost = time_requests(ICSR_PENDSTSET) - time_requests(0);
}

#if defined(EDGEC_OTHER_TIMER)

static int other_moves(void)
{
    edgec_other_timer_start();
    const uint32_t before = edgec_other_timer_read();
    pause_a_little();
    const uint32_t after = edgec_other_timer_read();
    edgec_other_timer_stop();
    return after != before;
}

#else

static void edgec_other_timer_start(void) {}

static uint32_t edgec_other_timer_read(void)
{
    return 0;
}

static void edgec_other_timer_stop(void) {}

static int other_moves(void)
{
    return 0;
}

#endif

void edgec_cycles_choose(void)
{
    if (dwt_moves()) {
        kind = EDGEC_TIMER_DWT;
    } else if (other_moves()) {
        kind = EDGEC_TIMER_OTHER;
    } else if (systick_moves()) {
        kind = EDGEC_TIMER_SYSTICK;
        systick_calibrate();
    }
}

void edgec_hal_timer_start(void)
{
    counted = 0;
    if (kind == EDGEC_TIMER_DWT) {
        dwt_start();
    } else if (kind == EDGEC_TIMER_OTHER) {
        edgec_other_timer_start();
    } else if (kind == EDGEC_TIMER_SYSTICK) {
        systick_start();
    }
}

/* A counter of 32 bits goes on for ever if it is read before each wrap, as layers do. */
static uint64_t extended(uint32_t now)
{
    if (now < (uint32_t)counted) {
        counted += (uint64_t)1 << 32;
    }
    counted = (counted >> 32 << 32) | now;
    return counted;
}

uint64_t edgec_hal_timer_read(void)
{
    if (kind == EDGEC_TIMER_DWT) {
        return extended(dwt_read());
    }
    if (kind == EDGEC_TIMER_OTHER) {
        return extended(edgec_other_timer_read());
    }
    if (kind == EDGEC_TIMER_SYSTICK) {
        const uint64_t ticks = systick_ticks();
        return ticks - (ticks >> 24) * overflow_cost / CALIBRATIONS;
    }
    return 0;
}

void edgec_hal_timer_stop(void)
{
    if (kind == EDGEC_TIMER_OTHER) {
        edgec_other_timer_stop();
    } else if (kind == EDGEC_TIMER_SYSTICK) {
        systick_stop();
    }
}

uint32_t edgec_hal_timer_hz(void)
{
    return edgec_core_hz();
}

uint8_t edgec_hal_timer_kind(void)
{
    return kind;
}
