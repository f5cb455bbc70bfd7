#include "edgec_stack.h"

#include "edgec_hal.h"

#define PAINT 0xA5A5A5A5u

/* Below the frame address lie this function's own locals, and a red zone on x86-64. */
#if defined(__arm__)
#define MARGIN_BYTES 32u
#else
#define MARGIN_BYTES 256u
#endif

#define GUARD_WORDS 8u

__attribute__((weak)) uint32_t edgec_hal_peak_kib(void)
{
    return 0;
}

static volatile uint32_t *lowest(void)
{
    return (volatile uint32_t *)((edgec_hal_stack_limit() + 3u) & ~(uintptr_t)3u);
}

void edgec_stack_guard(void)
{
    for (uint32_t i = 0; i < GUARD_WORDS; ++i) {
        lowest()[i] = PAINT;
    }
}

int edgec_stack_intact(void)
{
    for (uint32_t i = 0; i < GUARD_WORDS; ++i) {
        if (lowest()[i] != PAINT) {
            return 0;
        }
    }
    return 1;
}

int edgec_stack_measure(int (*run)(void), uint32_t *used_bytes)
{
    const uintptr_t base = (uintptr_t)__builtin_frame_address(0);
    volatile uint32_t *const low = lowest();
    const uintptr_t limit = (uintptr_t)low;
    const uintptr_t words = (base - MARGIN_BYTES - limit) / sizeof(uint32_t);
    for (uintptr_t i = 0; i < words; ++i) {
        low[i] = PAINT;
    }
    const int status = run();
    uintptr_t clean = 0;
    while (clean < words && low[clean] == PAINT) {
        ++clean;
    }
    *used_bytes = (uint32_t)(base - (limit + clean * sizeof(uint32_t)));
    return status;
}

uint32_t edgec_stack_free(void)
{
    return (uint32_t)((uintptr_t)__builtin_frame_address(0) - edgec_hal_stack_limit());
}
