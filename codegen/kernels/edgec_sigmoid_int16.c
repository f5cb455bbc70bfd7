/* edgec: hot */
#include "edgec_sigmoid_int16.h"

/* Table entry x / 2^bits times 2^bits, saturated. */
static int32_t interpolate(const uint16_t *table, int32_t x, int32_t bits, int32_t most)
{
    const int32_t at = x >> bits;
    const int32_t part = x & ((1 << bits) - 1);
    if (at >= 255) {
        return most;
    }
    return table[at] * (1 << bits) + part * (table[at + 1] - table[at]);
}

static int32_t logistic(const uint16_t *table, int32_t x)
{
    const int32_t v = interpolate(table, x < 0 ? -x : x, 9, INT16_MAX << 10);
    return (x < 0 ? (1 << 25) - v + (1 << 9) - 1 : v + (1 << 9)) >> 10;
}

static int32_t hyperbolic(const uint16_t *table, int32_t x)
{
    const int32_t v = interpolate(table, x < 0 ? -x : x, 8, UINT16_MAX << 8);
    return (x < 0 ? (1 << 23) - v + (1 << 7) - 1 : v - (1 << 23) + (1 << 7)) >> 8;
}

void edgec_sigmoid_int16(const edgec_sigmoid_int16_params *p, const int16_t *in, int16_t *out)
{
    const int32_t half = p->shift > 0 ? 1 << (p->shift - 1) : 0;
    for (int32_t i = p->size; i > 0; --i) {
        const int32_t x = (*in++ * p->multiplier + half) >> p->shift;
        *out++ = (int16_t)(p->is_tanh ? hyperbolic(p->table, x) : logistic(p->table, x));
    }
}
