/* Arm MPS2/MPS3 boards: CMSDK UART, and a 64-bit time made of two timers or the system counter. */
#include "edgec_board.h"
#include "edgec_hal.h"
#include "edgec_registers.h"

#define REG EDGEC_REG

#define UART_DATA REG(UART_BASE + 0x0u)
#define UART_STATE REG(UART_BASE + 0x4u)
#define UART_CTRL REG(UART_BASE + 0x8u)
#define UART_INTCLEAR REG(UART_BASE + 0xCu)
#define UART_BAUDDIV REG(UART_BASE + 0x10u)
#define UART_TX_FULL 1u
#define UART_RX_FULL 2u
#define UART_TX_ENABLE 1u
#define UART_RX_ENABLE 2u
#define UART_RX_INTERRUPT 8u

#define NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))
#define NVIC_ICPR(irq) REG(0xE000E280u + 4u * ((irq) / 32u))

static void enable_wakeup(uint32_t irq)
{
    NVIC_ISER(irq) = 1u << (irq % 32u);
}

void edgec_hal_init(void)
{
    /* Interrupts stay masked: a pending one only ends WFI, so nothing disturbs a measurement. */
    __asm__ volatile("cpsid i" ::: "memory");
    UART_BAUDDIV = 16;
    UART_CTRL = UART_TX_ENABLE | UART_RX_ENABLE | UART_RX_INTERRUPT;
    enable_wakeup(UART_IRQ);
    enable_wakeup(UART_IRQ + 1u);
    /* QEMU looks again at bytes that came too early only after a read; a frame's first is spare. */
    (void)UART_DATA;
}

int edgec_hal_getc(void)
{
    while ((UART_STATE & UART_RX_FULL) == 0) {
        __asm__ volatile("wfi" ::: "memory");
        /* In this order: a byte that comes in between leaves the line high but not pending, and
         * then lowering the line last lets the next byte raise it. */
        NVIC_ICPR(UART_IRQ) = 3u << (UART_IRQ % 32u);
        UART_INTCLEAR = 0xFu;
    }
    return (int)(UART_DATA & 0xFFu);
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        while ((UART_STATE & UART_TX_FULL) != 0) {
        }
        UART_DATA = data[i];
    }
}

#if defined(SYSTEM_COUNTER_CONTROL)

void edgec_hal_timer_start(void)
{
    REG(SYSTEM_COUNTER_CONTROL) = 1u;
}

uint64_t edgec_hal_timer_read(void)
{
    uint32_t high = REG(SYSTEM_COUNTER_READ + 4u);
    for (;;) {
        const uint32_t low = REG(SYSTEM_COUNTER_READ);
        const uint32_t again = REG(SYSTEM_COUNTER_READ + 4u);
        if (again == high) {
            return ((uint64_t)high << 32) | low;
        }
        high = again;
    }
}

void edgec_hal_timer_stop(void)
{
    REG(SYSTEM_COUNTER_CONTROL) = 0u;
}

#else

/* The fine timer counts every tick and wraps after 2^32; the coarse one counts every 256th tick
 * and says how often the fine one has wrapped. Both count down. */
#define FINE_CTRL REG(TIMER_BASE + 0x0u)
#define FINE_VALUE REG(TIMER_BASE + 0x4u)
#define FINE_RELOAD REG(TIMER_BASE + 0x8u)
#define COARSE_LOAD REG(DUAL_TIMER_BASE + 0x0u)
#define COARSE_VALUE REG(DUAL_TIMER_BASE + 0x4u)
#define COARSE_CTRL REG(DUAL_TIMER_BASE + 0x8u)
#define COARSE_ENABLE_32BIT_BY_256 (0x80u | 0x40u | 0x08u | 0x02u)

void edgec_hal_timer_start(void)
{
    COARSE_LOAD = 0xFFFFFFFFu;
    FINE_RELOAD = 0xFFFFFFFFu;
    FINE_VALUE = 0xFFFFFFFFu;
    COARSE_CTRL = COARSE_ENABLE_32BIT_BY_256;
    FINE_CTRL = 1u;
}

uint64_t edgec_hal_timer_read(void)
{
    const uint32_t fine = ~FINE_VALUE;
    const uint64_t coarse = (uint64_t)(uint32_t)~COARSE_VALUE << 8;
    const uint64_t half = (uint64_t)1 << 31;
    const uint64_t wraps = (coarse + half - fine) >> 32;
    return (wraps << 32) + fine;
}

void edgec_hal_timer_stop(void)
{
    FINE_CTRL = 0u;
    COARSE_CTRL = 0u;
}

#endif

uint32_t edgec_hal_timer_hz(void)
{
    return TIMER_HZ;
}

uint8_t edgec_hal_timer_kind(void)
{
    return EDGEC_TIMER_VIRTUAL;
}
