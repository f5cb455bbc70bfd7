/* Vector table and what happens before main(). */
#include <stddef.h>
#include <stdint.h>

#include "edgec_link.h"

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

static void enable_fpu(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: CP10 and CP11 */
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

void edgec_reset(void)
{
    enable_fpu();
    limit_stack();
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

typedef void (*vector)(void);

/* The initial stack pointer is an address, not code; the rest of the exceptions are faults. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector handlers[15];
} vectors = {
    edgec_stack_top,
    {edgec_reset, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault,
     edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault, edgec_fault,
     edgec_fault},
};
