/* The program of layers on an emulated board: files by semihosting, canaries behind every array. */
#include "layer_program.h"

#include <string.h>

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT = 0x18 };
enum { READ_BINARY = 1, WRITE_BINARY = 5 };
enum { STOPPED_BY_FAULT = 0x20023, STOPPED_AT_THE_END = 0x20026 };

#define MOST 256
#define CANARY 16
#define CANARY_BYTE 0xc3

extern uint32_t stack_top[], bss_start[], bss_end[];
extern uint8_t heap_start[], heap_end[];

static uint8_t *taken[MOST], *top;
static size_t sizes[MOST];
static int count, input, output;
static uint8_t buffer[4096];
static size_t filled, used;

static int semihost(int call, const void *args)
{
    register int r0 __asm__("r0") = call;
    register const void *r1 __asm__("r1") = args;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void stop(int why)
{
    semihost(SYS_EXIT, (const void *)(intptr_t)why);
    for (;;) {
    }
}

static int opened(const char *name, int mode)
{
    const intptr_t args[] = {(intptr_t)name, mode, (intptr_t)strlen(name)};
    return semihost(SYS_OPEN, args);
}

int layer_get(void *p, size_t size)
{
    uint8_t *to = p;
    for (size_t got = 0; got < size;) {
        if (used == filled) {
            const intptr_t args[] = {input, (intptr_t)buffer, sizeof buffer};
            filled = sizeof buffer - (size_t)semihost(SYS_READ, args);
            used = 0;
            if (filled == 0) {
                if (got != 0) {
                    stop(STOPPED_BY_FAULT);
                }
                return 0;
            }
        }
        size_t part = size - got < filled - used ? size - got : filled - used;
        memcpy(to + got, buffer + used, part);
        got += part;
        used += part;
    }
    return 1;
}

void layer_put(const void *p, size_t size)
{
    const intptr_t args[] = {output, (intptr_t)p, (intptr_t)size};
    if (semihost(SYS_WRITE, args) != 0) {
        stop(STOPPED_BY_FAULT);
    }
}

void layer_flush(void) {}

void *layer_take(size_t size, int fill)
{
    uint8_t *p = top;
    top = p + (size + CANARY + 15) / 16 * 16;
    if (top > heap_end || count == MOST) {
        stop(STOPPED_BY_FAULT);
    }
    memset(p, fill, size);
    memset(p + size, CANARY_BYTE, CANARY);
    sizes[count] = size;
    taken[count++] = p;
    return p;
}

int layer_mark(void)
{
    return count;
}

void layer_release(int mark)
{
    while (count > mark) {
        top = taken[--count];
        for (int i = 0; i < CANARY; i++) {
            if (top[sizes[count] + (size_t)i] != CANARY_BYTE) {
                stop(STOPPED_BY_FAULT);
            }
        }
    }
}

static void fault(void)
{
    stop(STOPPED_BY_FAULT);
}

static void reset(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: CP10 and CP11 */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    top = heap_start;
    input = opened("layers.in", READ_BINARY);
    output = opened("layers.out", WRITE_BINARY);
    layer_run_all();
    const intptr_t args[] = {output};
    semihost(SYS_CLOSE, args);
    stop(STOPPED_AT_THE_END);
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector handlers[15];
} vectors = {stack_top,
             {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
              fault, fault, fault}};
