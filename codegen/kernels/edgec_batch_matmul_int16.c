/* edgec: hot */
#include "edgec_batch_matmul_int16.h"

#include "edgec_sum16.h"

static int16_t finish(const edgec_batch_matmul_int16_params *p, int64_t sum)
{
    const int32_t v = edgec_requant_reduced(sum, p->multiplier, p->shift);
    return (int16_t)edgec_clamp(v, INT16_MIN, INT16_MAX);
}

static int16_t *multiply(const edgec_batch_matmul_int16_params *p, const int16_t *in1,
                         const int16_t *in2, int16_t *out)
{
    for (int32_t r = 0; r < p->rows; ++r, in1 += p->row1) {
        const int16_t *column = in2;
        for (int32_t c = 0; c < p->columns; ++c, column += p->column2) {
            const int16_t *x1 = in1;
            const int16_t *x2 = column;
            int64_t sum = 0;
            for (int32_t k = p->depth; k > 0; --k, x1 += p->depth1, x2 += p->depth2) {
                sum += *x1 * *x2;
            }
            *out++ = finish(p, sum);
        }
    }
    return out;
}

void edgec_batch_matmul_int16(const edgec_batch_matmul_int16_params *p, const int16_t *in1,
                              const int16_t *in2, int16_t *out)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        for (int32_t i = 0; i < b->size[5]; ++i) {
            out = multiply(p, in1 + c.at1 + i * b->step1[5], in2 + c.at2 + i * b->step2[5], out);
        }
    } while (edgec_broadcast_next(b, &c));
}
