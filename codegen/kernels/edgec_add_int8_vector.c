/* edgec: hot */
#include "edgec_add_int8_vector.h"

#define SETS 4
#define SECOND_SHIFT 19

typedef edgec_add_int8_vector_params params;

EDGEC_INLINE void sums(const params *p, const int8_t *in1, const int8_t *in2, int8_t *out,
                       int32_t n)
{
    const edgec_channels16 *c = (const edgec_channels16 *)(const void *)p->scales;
    edgec_set sets[SETS];
    EDGEC_UNROLL
    for (int32_t i = 0; i < SETS; ++i) {
        edgec_set a =
            edgec_set_shift_left(edgec_set_load(in1 + i * EDGEC_LANES), (uint32_t)p->first_shift);
        edgec_set b = edgec_set_shift_left(edgec_set_load(in2 + i * EDGEC_LANES), SECOND_SHIFT);
        a = edgec_set_rescale(edgec_set_add(a, edgec_set_all(p->offset)), c, 0);
        b = edgec_set_add(b, edgec_set_all(p->offset2));
        sets[i] = edgec_set_rescale(edgec_set_add(a, b), c + 1, 0);
    }
    edgec_sets_store(1, SETS, sets, &p->ends, out, 0, n);
}

void edgec_add_int8_vector(const edgec_add_int8_vector_params *p, const int8_t *in1,
                           const int8_t *in2, int8_t *out)
{
    const int32_t most = SETS * EDGEC_LANES;
    int32_t left = p->size;
    for (; left >= most; left -= most, in1 += most, in2 += most, out += most) {
        sums(p, in1, in2, out, SETS * EDGEC_LANES);
    }
    if (left > 0) {
        int8_t a[SETS * EDGEC_LANES] = {0};
        int8_t b[SETS * EDGEC_LANES] = {0};
        memcpy(a, in1, (size_t)left);
        memcpy(b, in2, (size_t)left);
        sums(p, a, b, out, left);
    }
}
