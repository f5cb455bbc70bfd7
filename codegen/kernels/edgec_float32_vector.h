/* Vectors of float32, as wide as the machine's: 16, 8 or 4 lanes, but no wider than EDGEC_PANEL
 * where that is defined. EDGEC_PORTABLE, or a machine without, makes them arrays of 4.
 *
 * What each header defines:
 * EDGEC_LANES, edgec_vector     how many lanes, and their type
 * edgec_load, edgec_store       a vector in memory, wherever it lies
 * edgec_load_some, ..._store_some   its first n lanes, 0 to all; others are loaded as zeros: where
 *                               EDGEC_MASKED is defined, below otherwise
 * edgec_all                     the same in all lanes
 * edgec_plus, ..._minus, ..._times, ..._over, ..._larger, ..._smaller
 * edgec_multiply_add            a * b + c, rounded once or twice
 * edgec_above                   a where x is at least the limit, zero elsewhere
 * edgec_truncated               without what is behind the point, as that of an int32 is
 * edgec_store_int8              whole numbers of int8
 * edgec_scaled                  a times 2 to the power of the integer in the lowest bits of n's
 *                               pattern */
#ifndef EDGEC_FLOAT32_VECTOR_H
#define EDGEC_FLOAT32_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define EDGEC_INLINE static inline __attribute__((always_inline))
#else
#define EDGEC_INLINE static inline
#endif

/* Before a loop of few and constant turns over vectors, which are registers only without it. */
#if defined(__clang__)
#define EDGEC_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define EDGEC_UNROLL _Pragma("GCC unroll 16")
#else
#define EDGEC_UNROLL
#endif

#if defined(EDGEC_PANEL) && EDGEC_PANEL < 16
#define EDGEC_NARROW 1
#else
#define EDGEC_NARROW 0
#endif

#if defined(EDGEC_PORTABLE)
#include "edgec_float32_portable.h"
#elif (defined(__AVX512F__) && !EDGEC_NARROW) || (defined(__AVX2__) && defined(__FMA__))
#include "edgec_float32_x86.h"
#elif defined(__ARM_NEON)
#include "edgec_float32_neon.h"
#else
#include "edgec_float32_portable.h"
#endif

#ifndef EDGEC_MASKED

EDGEC_INLINE edgec_vector edgec_load_some(const float *p, int32_t n)
{
    float lanes[EDGEC_LANES] = {0.0f};
    if (n >= EDGEC_LANES) {
        return edgec_load(p);
    }
    for (int32_t i = 0; i < n; ++i) {
        lanes[i] = p[i];
    }
    return edgec_load(lanes);
}

EDGEC_INLINE void edgec_store_some(float *p, edgec_vector a, int32_t n)
{
    float lanes[EDGEC_LANES];
    if (n >= EDGEC_LANES) {
        edgec_store(p, a);
        return;
    }
    edgec_store(lanes, a);
    for (int32_t i = 0; i < n; ++i) {
        p[i] = lanes[i];
    }
}

#endif

#endif
