/* What the int8 kernels with two broadcast inputs share: parameters and loops. */
#ifndef EDGEC_BINARY_INT8_H
#define EDGEC_BINARY_INT8_H

#include <stdint.h>

#include "edgec_broadcast.h"
#include "edgec_requant.h"

typedef struct {
    edgec_broadcast loops;
    int32_t multiplier1, shift1, multiplier2, shift2, out_multiplier, out_shift;
    int8_t zero_point1, zero_point2, out_zero_point, out_min, out_max;
} edgec_binary_int8_params;

/* One element from two, zero points taken off at both ends. */
typedef int32_t edgec_binary_int8_element(const edgec_binary_int8_params *p, int32_t a, int32_t b);

/* Each kernel calls this once, so that the compiler makes one loop of it and its element. */
static inline void edgec_binary_int8(const edgec_binary_int8_params *p, const int8_t *in1,
                                     const int8_t *in2, int8_t *out,
                                     edgec_binary_int8_element *element)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    const int32_t zero = p->out_zero_point;
    const int32_t low = p->out_min - zero;
    const int32_t high = p->out_max - zero;
    do {
        const int8_t *x1 = in1 + c.at1;
        const int8_t *x2 = in2 + c.at2;
        for (int32_t i = b->size[5]; i > 0; --i, x1 += b->step1[5], x2 += b->step2[5]) {
            const int32_t v = element(p, *x1 - p->zero_point1, *x2 - p->zero_point2);
            *out++ = (int8_t)(edgec_clamp(v, low, high) + zero); /* v may be near INT32_MAX */
        }
    } while (edgec_broadcast_next(b, &c));
}

/* The inputs with left_shift more bits, at twice the larger of their scales. */
static inline int32_t edgec_binary_int8_first(const edgec_binary_int8_params *p, int32_t a,
                                              int32_t left_shift)
{
    return edgec_requant_double(a * (1 << left_shift), p->multiplier1, p->shift1);
}

static inline int32_t edgec_binary_int8_second(const edgec_binary_int8_params *p, int32_t b,
                                               int32_t left_shift)
{
    return edgec_requant_double(b * (1 << left_shift), p->multiplier2, p->shift2);
}

static inline int32_t edgec_binary_int8_rescale(const edgec_binary_int8_params *p, int32_t v)
{
    return edgec_requant_double(v, p->out_multiplier, p->out_shift);
}

#endif
