/* Element-wise loops over two inputs, either of which may be broadcast. */
#ifndef EDGEC_BROADCAST_H
#define EDGEC_BROADCAST_H

#include <stdint.h>

/* Loops from the outermost to the innermost; a step of 0 repeats an input along the loop. */
typedef struct {
    int32_t size[6], step1[6], step2[6];
} edgec_broadcast;

/* Where the innermost loop stands in both inputs. */
typedef struct {
    int32_t index[5];
    int32_t at1, at2;
} edgec_broadcast_cursor;

/* Move on to the next run of the innermost loop; 0 when there is none. Start from all zero. */
static inline int edgec_broadcast_next(const edgec_broadcast *b, edgec_broadcast_cursor *c)
{
    for (int i = 4; i >= 0; --i) {
        c->at1 += b->step1[i];
        c->at2 += b->step2[i];
        if (++c->index[i] < b->size[i]) {
            return 1;
        }
        c->at1 -= b->step1[i] * b->size[i];
        c->at2 -= b->step2[i] * b->size[i];
        c->index[i] = 0;
    }
    return 0;
}

#endif
