#include "edgec_add_float32.h"

#include "edgec_clamp_float32.h"

void edgec_add_float32(const edgec_add_float32_params *p, const float *in1, const float *in2,
                       float *out)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        const float *x1 = in1 + c.at1;
        const float *x2 = in2 + c.at2;
        for (int32_t i = b->size[5]; i > 0; --i, x1 += b->step1[5], x2 += b->step2[5]) {
            *out++ = edgec_clamp_float32(*x1 + *x2, p->out_min, p->out_max);
        }
    } while (edgec_broadcast_next(b, &c));
}
