/* edgec: hot */
#include "edgec_batch_matmul_int8.h"

#include "edgec_requant.h"

static int8_t finish(const edgec_batch_matmul_int8_params *p, int32_t acc)
{
    const int32_t zero = p->out_zero_point;
    const int32_t v = edgec_requant_double(acc, p->multiplier, p->shift);
    return (int8_t)(edgec_clamp(v, INT8_MIN - zero, INT8_MAX - zero) + zero);
}

static int8_t *multiply(const edgec_batch_matmul_int8_params *p, const int8_t *in1,
                        const int8_t *in2, int8_t *out)
{
    const int32_t zero1 = p->zero_point1;
    const int32_t zero2 = p->zero_point2;
    for (int32_t r = 0; r < p->rows; ++r, in1 += p->row1) {
        const int8_t *column = in2;
        for (int32_t c = 0; c < p->columns; ++c, column += p->column2) {
            const int8_t *x1 = in1;
            const int8_t *x2 = column;
            int32_t acc = 0;
            for (int32_t k = p->depth; k > 0; --k, x1 += p->depth1, x2 += p->depth2) {
                acc += (*x1 - zero1) * (*x2 - zero2);
            }
            *out++ = finish(p, acc);
        }
    }
    return out;
}

void edgec_batch_matmul_int8(const edgec_batch_matmul_int8_params *p, const int8_t *in1,
                             const int8_t *in2, int8_t *out)
{
    const edgec_broadcast *b = &p->loops;
    edgec_broadcast_cursor c = {{0}, 0, 0};
    do {
        for (int32_t i = 0; i < b->size[5]; ++i) {
            out = multiply(p, in1 + c.at1 + i * b->step1[5], in2 + c.at2 + i * b->step2[5], out);
        }
    } while (edgec_broadcast_next(b, &c));
}
