/* The loops of the float32 kernels with two broadcast inputs, a vector at a time. */
#ifndef EDGEC_BINARY_FLOAT32_RUNS_H
#define EDGEC_BINARY_FLOAT32_RUNS_H

#include "edgec_binary_float32.h"
#include "edgec_float32_vector.h"

/* Elements from as many of both inputs. */
typedef edgec_vector edgec_vector_element(edgec_vector a, edgec_vector b);

/* EDGEC_LANES elements, or the `count` that are left, from `step` apart. */
EDGEC_INLINE edgec_vector edgec_strided(const float *from, int32_t step, int32_t count)
{
    if (step == 0) {
        return edgec_all(*from);
    }
    if (step == 1 && count >= EDGEC_LANES) {
        return edgec_load(from);
    }
    float lanes[EDGEC_LANES] = {0.0f};
    for (int32_t i = 0; i < EDGEC_LANES && i < count; ++i) {
        lanes[i] = from[i * step];
    }
    return edgec_load(lanes);
}

/* A run of the innermost loop; steps that are constants make it tight. */
EDGEC_INLINE void edgec_element_run(const edgec_binary_float32_params *p, const float *x1,
                                    int32_t step1, const float *x2, int32_t step2, float *out,
                                    edgec_vector_element *element)
{
    const edgec_vector low = edgec_all(p->out_min);
    const edgec_vector high = edgec_all(p->out_max);
    const int32_t size = p->loops.size[5];
    int32_t i = 0;
    for (; i + EDGEC_LANES <= size; i += EDGEC_LANES) {
        const edgec_vector a = edgec_strided(x1 + i * step1, step1, EDGEC_LANES);
        const edgec_vector b = edgec_strided(x2 + i * step2, step2, EDGEC_LANES);
        edgec_store(out + i, edgec_smaller(edgec_larger(element(a, b), low), high));
    }
    if (i < size) {
        const edgec_vector a = edgec_strided(x1 + i * step1, step1, size - i);
        const edgec_vector b = edgec_strided(x2 + i * step2, step2, size - i);
        float last[EDGEC_LANES];
        edgec_store(last, edgec_smaller(edgec_larger(element(a, b), low), high));
        memcpy(out + i, last, (size_t)(size - i) * sizeof *last);
    }
}

/* Each kernel calls this once, so that the compiler makes one loop of it and its element. */
EDGEC_INLINE void edgec_binary_float32_runs(const edgec_binary_float32_params *p, const float *in1,
                                            const float *in2, float *out,
                                            edgec_vector_element *element)
{
    const edgec_broadcast *b = &p->loops;
    const int32_t step1 = b->step1[5];
    const int32_t step2 = b->step2[5];
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        const float *x1 = in1 + c.at1;
        const float *x2 = in2 + c.at2;
        if (step1 == 1 && step2 == 1) {
            edgec_element_run(p, x1, 1, x2, 1, out, element);
        } else if (step1 == 1 && step2 == 0) {
            edgec_element_run(p, x1, 1, x2, 0, out, element);
        } else if (step1 == 0 && step2 == 1) {
            edgec_element_run(p, x1, 0, x2, 1, out, element);
        } else {
            edgec_element_run(p, x1, step1, x2, step2, out, element);
        }
        out += b->size[5];
    } while (edgec_broadcast_next(b, &c));
}

#endif
