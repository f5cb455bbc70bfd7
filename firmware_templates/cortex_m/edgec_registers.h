/* Memory-mapped registers, and waiting for them without ever hanging. */
#ifndef EDGEC_REGISTERS_H
#define EDGEC_REGISTERS_H

#include <stdint.h>

#define EDGEC_REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* More than any oscillator, PLL or regulator here needs at the clock it is waited for with. */
#define EDGEC_PATIENCE 20000u

/* Waits until the bits of `mask` read `value`; 0 if they do not in time. */
static inline int edgec_wait(uintptr_t address, uint32_t mask, uint32_t value)
{
    for (uint32_t i = 0; i < EDGEC_PATIENCE; ++i) {
        if ((EDGEC_REG(address) & mask) == value) {
            return 1;
        }
    }
    return 0;
}

/* Writes `value` into the bits of `mask`. */
static inline void edgec_set(uintptr_t address, uint32_t mask, uint32_t value)
{
    EDGEC_REG(address) = (EDGEC_REG(address) & ~mask) | value;
}

#endif
