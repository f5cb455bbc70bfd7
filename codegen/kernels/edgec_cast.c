#include "edgec_cast.h"

static int32_t load(const void *in, int32_t i, uint8_t kind)
{
    switch (kind) {
    case EDGEC_CAST_INT8:
        return ((const int8_t *)in)[i];
    case EDGEC_CAST_INT16:
        return ((const int16_t *)in)[i];
    case EDGEC_CAST_INT32:
        return ((const int32_t *)in)[i];
    default:
        return ((const uint8_t *)in)[i];
    }
}

static void store(void *out, int32_t i, uint8_t kind, int32_t v)
{
    switch (kind) {
    case EDGEC_CAST_INT16:
        ((int16_t *)out)[i] = (int16_t)v;
        break;
    case EDGEC_CAST_INT32:
        ((int32_t *)out)[i] = v;
        break;
    case EDGEC_CAST_BOOL:
        ((uint8_t *)out)[i] = v != 0;
        break;
    default:
        ((uint8_t *)out)[i] = (uint8_t)v;
        break;
    }
}

/* x truncated and limited to low .. high; high if x is not a number. */
static int32_t to_integer(float x, int32_t low, int32_t high)
{
    if (x <= (float)low) {
        return low;
    }
    return x < (float)high ? (int32_t)x : high;
}

void edgec_cast(const edgec_cast_params *p, const void *in, void *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        if (p->from != EDGEC_CAST_FLOAT32) {
            const int32_t v = load(in, i, p->from);
            if (p->to == EDGEC_CAST_FLOAT32) {
                ((float *)out)[i] = (float)v;
            } else {
                store(out, i, p->to, v);
            }
        } else {
            const float x = ((const float *)in)[i];
            const int32_t v = to_integer(x, p->low, p->high);
            store(out, i, p->to, p->to == EDGEC_CAST_BOOL ? x < 0.0f || x > 0.0f || x != x : v);
        }
    }
}
