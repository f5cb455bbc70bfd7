/* Every Cortex-M: the vector table and what happens before main(). Registers: the architecture
 * reference manuals, DDI0403 (Armv7-M) B3.2, DDI0419 (Armv6-M) B3.2 and DDI0553 (Armv8-M) D1.2. */
#include <stddef.h>
#include <stdint.h>

#include "edgec_hal.h"
#include "edgec_link.h"
#include "edgec_registers.h"

#define CPACR EDGEC_REG(0xE000ED88u)
#define VTOR EDGEC_REG(0xE000ED08u)
#define NVIC_ICER(n) EDGEC_REG(0xE000E180u + 4u * (n))

/* From the linker script. */
extern uint32_t edgec_stack_top[];
extern uint32_t edgec_stack_limit[];
extern uint32_t edgec_data_load[];
extern uint32_t edgec_data_start[];
extern uint32_t edgec_data_end[];
extern uint32_t edgec_bss_start[];
extern uint32_t edgec_bss_end[];

int main(void);
void edgec_reset(void);
void edgec_fault(void);
void edgec_fault_report(void);
void edgec_start(void);
void edgec_systick(void);

static void enable_fpu(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= 0xFu << 20; /* CP10 and CP11 */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
}

/* Where the core can check it, running out of stack is a fault at once. */
static void limit_stack(void)
{
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
    __asm__ volatile("msr msplim, %0" ::"r"(edgec_stack_limit));
#endif
}

typedef void (*vector)(void);

/* The initial stack pointer is an address, not code; the rest of the exceptions are faults. */
typedef struct {
    uint32_t *stack;
    vector handlers[15];
} vector_table;

/* VTOR wants the table aligned to its size: 16 words, at least 128 bytes. */
__attribute__((section(".vectors"), used, aligned(128))) static const vector_table edgec_vectors;

/* A bootloader may have left interrupts on and its own vectors in place. */
static void own_vectors(void)
{
#if defined(EDGEC_AFTER_BOOTLOADER)
    for (uint32_t i = 0; i < 8; ++i) {
        NVIC_ICER(i) = 0xFFFFFFFFu;
    }
#endif
#if !defined(EDGEC_NO_VTOR)
    VTOR = (uint32_t)(uintptr_t)&edgec_vectors;
    __asm__ volatile("dsb" ::: "memory");
#endif
}

/* A debugger or a bootloader may start us with any stack pointer. */
__attribute__((naked)) void edgec_reset(void)
{
    __asm__ volatile("cpsid i\n\t"
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
                     "movs r0, #0\n\t"
                     "msr msplim, r0\n\t"
#endif
                     "ldr r0, =edgec_stack_top\n\t"
                     "mov sp, r0\n\t"
                     "bl edgec_start\n\t"
                     ".ltorg");
}

void edgec_start(void)
{
    enable_fpu();
    limit_stack();
    own_vectors();
    const uint32_t *from = edgec_data_load;
    for (uint32_t *to = edgec_data_start; to < edgec_data_end; ++to) {
        *to = *from++;
    }
    for (uint32_t *to = edgec_bss_start; to < edgec_bss_end; ++to) {
        *to = 0;
    }
    (void)main();
    for (;;) {
        __asm__ volatile("wfi");
    }
}

/* The stack may be what failed, so the report starts on a fresh one. */
__attribute__((naked)) void edgec_fault(void)
{
    __asm__ volatile("ldr r0, =edgec_stack_top\n\t"
                     "mov sp, r0\n\t"
                     "bl edgec_fault_report\n\t"
                     ".ltorg");
}

void edgec_fault_report(void)
{
    edgec_link_log("hard fault: bad memory access, or the stack is too small");
    for (;;) {
        __asm__ volatile("wfi");
    }
}

/* Families that count with SysTick have their own. */
__attribute__((weak)) void edgec_systick(void)
{
    edgec_fault();
}

uintptr_t edgec_hal_stack_limit(void)
{
    return (uintptr_t)edgec_stack_limit;
}

static const vector_table edgec_vectors = {
    edgec_stack_top,
    {edgec_reset, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault,
     edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault,
     edgec_systick},
};
