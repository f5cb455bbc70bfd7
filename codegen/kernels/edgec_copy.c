#include "edgec_copy.h"

#include <stddef.h>
#include <string.h>

#define MAX_LOOPS 8
#define HEAD 6

/* The innermost loop: n runs of `bytes`. */
static void copy_runs(const uint8_t *in, uint8_t *out, int32_t n, int32_t in_step, int32_t out_step,
                      int32_t bytes)
{
    if (bytes == 1) {
        if (in_step == 0 && out_step == 1) {
            memset(out, *in, (size_t)n);
            return;
        }
        for (; n > 1; --n, in += in_step, out += out_step) {
            *out = *in;
        }
    } else if (bytes == 4) {
        for (; n > 1; --n, in += in_step, out += out_step) {
            memcpy(out, in, 4); /* the constant size makes it a load and a store */
        }
    } else {
        for (; n > 1; --n, in += in_step, out += out_step) {
            memcpy(out, in, (size_t)bytes);
        }
    }
    memcpy(out, in, (size_t)bytes);
}

static const int32_t *move(const int32_t *m, const uint8_t *in, uint8_t *out)
{
    const int32_t bytes = m[4];
    const int32_t outer = m[5] - 1;
    const int32_t *loop = m + HEAD;
    int32_t index[MAX_LOOPS] = {0};
    int32_t in_at = m[2];
    int32_t out_at = m[3];
    if (outer < 0) {
        memcpy(out + out_at, in + in_at, (size_t)bytes);
        return loop;
    }
    const int32_t *inner = loop + 3 * outer;
    for (;;) {
        copy_runs(in + in_at, out + out_at, inner[0], inner[1], inner[2], bytes);
        int32_t i = outer - 1;
        for (; i >= 0; --i) {
            const int32_t *l = loop + 3 * i;
            in_at += l[1];
            out_at += l[2];
            if (++index[i] < l[0]) {
                break;
            }
            in_at -= l[1] * l[0];
            out_at -= l[2] * l[0];
            index[i] = 0;
        }
        if (i < 0) {
            return inner + 3;
        }
    }
}

void edgec_copy(const edgec_copy_params *p, const void *const *in, void *const *out)
{
    const int32_t *m = p->moves;
    for (int32_t i = 0; i < p->count; ++i) {
        m = move(m, m[0] < 0 ? (const uint8_t *)p->fill : in[m[0]], out[m[1]]);
    }
}
