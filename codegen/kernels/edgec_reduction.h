/* Loops over the kept axes of a tensor, and within them over those that are reduced. */
#ifndef EDGEC_REDUCTION_H
#define EDGEC_REDUCTION_H

#include <stdint.h>

/* Sizes and steps (in elements) of the loops, from the outermost to the innermost. */
typedef struct {
    int32_t kept_size[4], kept_step[4];
    int32_t reduced_size[4], reduced_step[4];
} edgec_reduction;

/* Move `at` on to the next round of `count` nested loops; 0 when there is none. The index starts
 * as all zero. */
static inline int edgec_reduction_next(const int32_t *size, const int32_t *step, int count,
                                       int32_t *index, int32_t *at)
{
    for (int i = count - 1; i >= 0; --i) {
        *at += step[i];
        if (++index[i] < size[i]) {
            return 1;
        }
        *at -= step[i] * size[i];
        index[i] = 0;
    }
    return 0;
}

#endif
