/* Cortex-M7 caches, as in its user guide, DUI0646: 4.8. Registers: DDI0403 (Armv7-M) B2.2.7, B3.2. */
#include "edgec_caches.h"

#include "edgec_registers.h"

#define CCR EDGEC_REG(0xE000ED14u)
#define CCR_DC (1u << 16)
#define CCR_IC (1u << 17)
#define CCSIDR EDGEC_REG(0xE000ED80u)
#define CSSELR EDGEC_REG(0xE000ED84u)
#define ICIALLU EDGEC_REG(0xE000EF50u)
#define DCISW EDGEC_REG(0xE000EF60u)

#define BARRIER() __asm__ volatile("dsb\n\tisb" ::: "memory")

/* Whatever the data cache holds after reset is thrown away, line by line: 32 bytes each, 4 ways. */
static void empty_data_cache(void)
{
    CSSELR = 0;
    BARRIER();
    const uint32_t sets = ((CCSIDR >> 13) & 0x7FFFu) + 1u;
    for (uint32_t set = 0; set < sets; ++set) {
        for (uint32_t way = 0; way < 4u; ++way) {
            DCISW = (way << 30) | (set << 5);
        }
    }
    BARRIER();
}

void edgec_caches_enable(void)
{
    BARRIER();
    ICIALLU = 0;
    BARRIER();
    CCR |= CCR_IC;
    empty_data_cache();
    CCR |= CCR_DC;
    BARRIER();
}
