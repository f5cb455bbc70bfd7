/* edgec: hot */
#include "edgec_batch_matmul_float32.h"

static float *multiply(const edgec_batch_matmul_float32_params *p, const float *in1,
                       const float *in2, float *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in1 += p->row1) {
        const float *column = in2;
        for (int32_t c = 0; c < p->columns; ++c, column += p->column2) {
            const float *x1 = in1;
            const float *x2 = column;
            float total = 0.0f;
            for (int32_t k = p->depth; k > 0; --k, x1 += p->depth1, x2 += p->depth2) {
                total += *x1 * *x2;
            }
            *out++ = total;
        }
    }
    return out;
}

void edgec_batch_matmul_float32(const edgec_batch_matmul_float32_params *p, const float *in1,
                                const float *in2, float *out)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        for (int32_t i = 0; i < b->size[5]; ++i) {
            out = multiply(p, in1 + c.at1 + i * b->step1[5], in2 + c.at2 + i * b->step2[5], out);
        }
    } while (edgec_broadcast_next(b, &c));
}
