/* What the float32 kernels with two broadcast inputs share: parameters and loops. */
#ifndef EDGEC_BINARY_FLOAT32_H
#define EDGEC_BINARY_FLOAT32_H

#include "edgec_broadcast.h"
#include "edgec_clamp_float32.h"

typedef struct {
    edgec_broadcast loops;
    float out_min, out_max;
} edgec_binary_float32_params;

/* One element from two. */
typedef float edgec_binary_float32_element(const edgec_binary_float32_params *p, float a, float b);

/* Each kernel calls this once, so that the compiler makes one loop of it and its element. */
static inline void edgec_binary_float32(const edgec_binary_float32_params *p, const float *in1,
                                        const float *in2, float *out,
                                        edgec_binary_float32_element *element)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        const float *x1 = in1 + c.at1;
        const float *x2 = in2 + c.at2;
        for (int32_t i = b->size[5]; i > 0; --i, x1 += b->step1[5], x2 += b->step2[5]) {
            *out++ = element(p, *x1, *x2);
        }
    } while (edgec_broadcast_next(b, &c));
}

#endif
