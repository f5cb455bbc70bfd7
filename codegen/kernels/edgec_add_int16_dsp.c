/* edgec: hot */
#include "edgec_add_int16_dsp.h"

#include "edgec_requant.h"

/* Round(a * b / 2^32), halves up. */
static inline int32_t high_mul(int32_t a, int32_t b)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t v;
    __asm__("smmulr %0, %1, %2" : "=r"(v) : "r"(a), "r"(b));
    return v;
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/* Halves away from zero; shift 0 has nudge 0 and keeps v. */
static inline int32_t divide(int32_t v, int32_t nudge, int32_t shift)
{
    return (v + (nudge != 0 ? v >> 31 : 0) + nudge) >> shift;
}

void edgec_add_int16_dsp(const edgec_add_int16_dsp_params *p, const int16_t *in1,
                         const int16_t *in2, int16_t *out)
{
    const int32_t multiplier2 = p->multiplier2;
    const int32_t multiplier = p->multiplier;
    const int32_t nudge2 = p->nudge2;
    const int32_t nudge = p->nudge;
    const int32_t shift2 = p->shift2;
    const int32_t shift = p->shift;
    const int32_t low = p->out_min;
    const int32_t high = p->out_max;
    const int16_t *const end = in1 + p->size;
    while (in1 != end) {
        const int32_t b = high_mul(*in2++ * (1 << 16), multiplier2);
        const int32_t sum = *in1++ * (1 << 14) + divide(b, nudge2, shift2);
        const int32_t v = high_mul(sum * 2, multiplier);
        *out++ = (int16_t)edgec_clamp((v + (v >> 31) + nudge) >> shift, low, high);
    }
}
