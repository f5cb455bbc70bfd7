/* Short copies and fills of any length and alignment, 16 bytes at a time where there is MVE. */
#ifndef EDGEC_MVE_BYTES_H
#define EDGEC_MVE_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)

static inline int8_t *edgec_mve_copy(int8_t *to, const int8_t *from, int32_t n)
{
    int8_t *end = to + n;
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to), [from] "+r"(from)
                     : [n] "r"(n)
                     : "q0", "lr", "memory");
    return end;
}

static inline int8_t *edgec_mve_fill(int8_t *to, int32_t value, int32_t n)
{
    int8_t *end = to + n;
    __asm__ volatile("vdup.8 q0, %[value]\n\t"
                     "wlstp.8 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to)
                     : [value] "r"(value), [n] "r"(n)
                     : "q0", "lr", "memory");
    return end;
}

#else

static inline int8_t *edgec_mve_copy(int8_t *to, const int8_t *from, int32_t n)
{
    memcpy(to, from, (size_t)n);
    return to + n;
}

static inline int8_t *edgec_mve_fill(int8_t *to, int32_t value, int32_t n)
{
    memset(to, value, (size_t)n);
    return to + n;
}

#endif

#endif
