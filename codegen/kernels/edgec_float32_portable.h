/* Vectors in portable C: see edgec_float32_vector.h. */
#ifndef EDGEC_FLOAT32_PORTABLE_H
#define EDGEC_FLOAT32_PORTABLE_H

#define EDGEC_LANES 4
typedef struct {
    float lane[4];
} edgec_vector;

EDGEC_INLINE edgec_vector edgec_load(const float *p)
{
    edgec_vector a;
    memcpy(a.lane, p, sizeof a.lane);
    return a;
}

EDGEC_INLINE void edgec_store(float *p, edgec_vector a)
{
    memcpy(p, a.lane, sizeof a.lane);
}

EDGEC_INLINE edgec_vector edgec_all(float x)
{
    const edgec_vector a = {{x, x, x, x}};
    return a;
}

#define EDGEC_LANEWISE(name, expression) \
    EDGEC_INLINE edgec_vector name(edgec_vector a, edgec_vector b) \
    { \
        for (int i = 0; i < EDGEC_LANES; ++i) { \
            const float x = a.lane[i]; \
            const float y = b.lane[i]; \
            a.lane[i] = (expression); \
        } \
        return a; \
    }

EDGEC_LANEWISE(edgec_plus, x + y)
EDGEC_LANEWISE(edgec_minus, x - y)
EDGEC_LANEWISE(edgec_times, x *y)
EDGEC_LANEWISE(edgec_over, x / y)
EDGEC_LANEWISE(edgec_larger, x > y ? x : y)
EDGEC_LANEWISE(edgec_smaller, x < y ? x : y)

EDGEC_INLINE edgec_vector edgec_multiply_add(edgec_vector a, edgec_vector b, edgec_vector c)
{
    return edgec_plus(edgec_times(a, b), c);
}

EDGEC_INLINE edgec_vector edgec_above(edgec_vector a, edgec_vector x, edgec_vector limit)
{
    for (int i = 0; i < EDGEC_LANES; ++i) {
        a.lane[i] = x.lane[i] >= limit.lane[i] ? a.lane[i] : 0.0f;
    }
    return a;
}

EDGEC_INLINE edgec_vector edgec_scaled(edgec_vector a, edgec_vector n)
{
    uint32_t bits[EDGEC_LANES];
    uint32_t power[EDGEC_LANES];
    memcpy(bits, a.lane, sizeof bits);
    memcpy(power, n.lane, sizeof power);
    for (int i = 0; i < EDGEC_LANES; ++i) {
        bits[i] += power[i] << 23;
    }
    memcpy(a.lane, bits, sizeof bits);
    return a;
}

EDGEC_INLINE edgec_vector edgec_truncated(edgec_vector a)
{
    for (int i = 0; i < EDGEC_LANES; ++i) {
        a.lane[i] = (float)(int32_t)a.lane[i];
    }
    return a;
}

EDGEC_INLINE void edgec_store_int8(int8_t *p, edgec_vector a)
{
    for (int i = 0; i < EDGEC_LANES; ++i) {
        p[i] = (int8_t)a.lane[i];
    }
}

#endif
