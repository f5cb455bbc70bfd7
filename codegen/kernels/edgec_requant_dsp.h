/* Integer rescaling in few instructions, for products whose range was analysed beforehand.
 *
 * Per channel there is `scale`, twice the multiplier less 2^32, and `finish`, which holds
 * (2 * out_zero_point + 1) * 2^(shift - 1) above its low byte and the right shift, 1 .. 16, in it:
 * half a unit to round with and the zero point are added at once, before the shift. */
#ifndef EDGEC_REQUANT_DSP_H
#define EDGEC_REQUANT_DSP_H

#include <stdint.h>

#if defined(__ARM_FEATURE_DSP)

/* Rounds twice, as edgec_requant_double; adds the zero point and saturates to 8 bits. */
static inline int32_t edgec_finish_double(int32_t acc, int32_t scale, int32_t finish)
{
    int32_t v;
    __asm__("smmlar %0, %1, %2, %1\n\t"
            "add %0, %0, %0, asr #31\n\t"
            "add %0, %0, %3, asr #8\n\t"
            "asr %0, %0, %3\n\t"
            "ssat %0, #8, %0"
            : "=&r"(v)
            : "r"(acc), "r"(scale), "r"(finish)
            : "cc");
    return v;
}

/* Rounds once, as edgec_requant_single; adds the zero point and saturates to 8 bits. */
static inline int32_t edgec_finish_single(int32_t acc, int32_t scale, int32_t finish)
{
    int32_t v;
    __asm__("smmla %0, %1, %2, %1\n\t"
            "add %0, %0, %3, asr #8\n\t"
            "asr %0, %0, %3\n\t"
            "ssat %0, #8, %0"
            : "=&r"(v)
            : "r"(acc), "r"(scale), "r"(finish)
            : "cc");
    return v;
}

/* Clamp four signed bytes to those of low and high. */
static inline uint32_t edgec_clamp_bytes(uint32_t v, uint32_t low, uint32_t high)
{
    uint32_t spare;
    __asm__("ssub8 %1, %0, %2\n\t"
            "sel %0, %0, %2\n\t"
            "ssub8 %1, %3, %0\n\t"
            "sel %0, %0, %3"
            : "+&r"(v), "=&r"(spare)
            : "r"(low), "r"(high)
            : "cc");
    return v;
}

#else

static inline int32_t edgec_saturate_int8(int32_t v)
{
    return v < INT8_MIN ? INT8_MIN : v > INT8_MAX ? INT8_MAX : v;
}

#if defined(__thumb2__)
static inline int32_t edgec_finish_double(int32_t acc, int32_t scale, int32_t finish)
{
    int32_t v = acc;
    uint32_t low = (uint32_t)1 << 31;
    __asm__("smlal %1, %0, %2, %3\n\t"
            "add %0, %0, %0, asr #31\n\t"
            "add %0, %0, %4, asr #8\n\t"
            "asr %0, %0, %4\n\t"
            "ssat %0, #8, %0"
            : "+&r"(v), "+&r"(low)
            : "r"(acc), "r"(scale), "r"(finish)
            : "cc");
    return v;
}
#else
static inline int32_t edgec_finish_double(int32_t acc, int32_t scale, int32_t finish)
{
    const int64_t twice = (int64_t)scale + ((int64_t)1 << 32);
    int32_t v = (int32_t)((acc * twice + ((int64_t)1 << 31)) >> 32);
    v += v >> 31;
    return edgec_saturate_int8((v + (finish >> 8)) >> (finish & 255));
}
#endif

static inline int32_t edgec_finish_single(int32_t acc, int32_t scale, int32_t finish)
{
    const int64_t twice = (int64_t)scale + ((int64_t)1 << 32);
    const int32_t v = (int32_t)((acc * twice) >> 32);
    return edgec_saturate_int8((v + (finish >> 8)) >> (finish & 255));
}

static inline uint32_t edgec_clamp_bytes(uint32_t v, uint32_t low, uint32_t high)
{
    uint32_t out = 0;
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        const int8_t least = (int8_t)(low >> shift & 0xffu);
        const int8_t most = (int8_t)(high >> shift & 0xffu);
        int8_t x = (int8_t)(v >> shift & 0xffu);
        x = x < least ? least : x;
        x = x > most ? most : x;
        out |= (uint32_t)(uint8_t)x << shift;
    }
    return out;
}

#endif

#endif
