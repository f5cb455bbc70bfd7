#include "edgec_l2_normalization_float32.h"

#include <math.h>

void edgec_l2_normalization_float32(const edgec_l2_normalization_float32_params *p, const float *in,
                                    float *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in += p->depth, out += p->depth) {
        float squares = 0.0f;
        for (int32_t i = 0; i < p->depth; ++i) {
            squares += in[i] * in[i];
        }
        const float root = sqrtf(squares);
        const float length = root < 1e-6f ? 1e-6f : root;
        for (int32_t i = 0; i < p->depth; ++i) {
            out[i] = in[i] / length;
        }
    }
}
