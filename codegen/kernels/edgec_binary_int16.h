/* What the int16 kernels with two broadcast inputs share: parameters and loops. Zero points are
 * 0. */
#ifndef EDGEC_BINARY_INT16_H
#define EDGEC_BINARY_INT16_H

#include <stdint.h>

#include "edgec_broadcast.h"
#include "edgec_requant.h"

typedef struct {
    edgec_broadcast loops;
    int32_t multiplier1, shift1, multiplier2, shift2, out_multiplier, out_shift;
    int16_t out_min, out_max;
} edgec_binary_int16_params;

/* One element from two. */
typedef int32_t edgec_binary_int16_element(const edgec_binary_int16_params *p, int32_t a,
                                           int32_t b);

/* Each kernel calls this once, so that the compiler makes one loop of it and its element. */
static inline void edgec_binary_int16(const edgec_binary_int16_params *p, const int16_t *in1,
                                      const int16_t *in2, int16_t *out,
                                      edgec_binary_int16_element *element)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        const int16_t *x1 = in1 + c.at1;
        const int16_t *x2 = in2 + c.at2;
        for (int32_t i = b->size[5]; i > 0; --i, x1 += b->step1[5], x2 += b->step2[5]) {
            *out++ = (int16_t)edgec_clamp(element(p, *x1, *x2), p->out_min, p->out_max);
        }
    } while (edgec_broadcast_next(b, &c));
}

/* The inputs with left_shift more bits, at twice the larger of their scales. */
static inline int32_t edgec_binary_int16_first(const edgec_binary_int16_params *p, int32_t a,
                                               int32_t left_shift)
{
    return edgec_requant_double(a * (1 << left_shift), p->multiplier1, p->shift1);
}

static inline int32_t edgec_binary_int16_second(const edgec_binary_int16_params *p, int32_t b,
                                                int32_t left_shift)
{
    return edgec_requant_double(b * (1 << left_shift), p->multiplier2, p->shift2);
}

static inline int32_t edgec_binary_int16_rescale(const edgec_binary_int16_params *p, int32_t v)
{
    return edgec_requant_double(v, p->out_multiplier, p->out_shift);
}

#endif
