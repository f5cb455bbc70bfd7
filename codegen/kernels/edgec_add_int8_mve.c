/* edgec: hot */
#include "edgec_add_int8_mve.h"

#include "edgec_requant.h"

#define SECOND (1 << 19) /* half of the head room of sums */

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)

#include <arm_mve.h>

/* Adding the sign before a rounding shift makes it round halves away from zero. */
void edgec_add_int8_mve(const edgec_add_int8_mve_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out)
{
    const int32x4_t factor = vdupq_n_s32(p->factor), second = vdupq_n_s32(SECOND);
    const int32x4_t low = vdupq_n_s32(p->out_min), high = vdupq_n_s32(p->out_max);
    __asm__ volatile("wlstp.32 lr, %[n], 2f\n"
                     "1:\n\t"
                     "vldrb.s32 q0, [%[a]], #4\n\t"
                     "vldrb.s32 q1, [%[b]], #4\n\t"
                     "vmlas.s32 q0, %q[factor], %[offset]\n\t"
                     "vmlas.s32 q1, %q[second], %[offset2]\n\t"
                     "vqrdmulh.s32 q0, q0, %[multiplier1]\n\t"
                     "vshr.s32 q2, q0, #31\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vrshl.s32 q0, %[shift1]\n\t"
                     "vadd.i32 q0, q0, q1\n\t"
                     "vqrdmulh.s32 q0, q0, %[multiplier]\n\t"
                     "vshr.s32 q2, q0, #31\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vrshl.s32 q0, %[shift]\n\t"
                     "vadd.i32 q0, q0, %[zero]\n\t"
                     "vmax.s32 q0, q0, %q[low]\n\t"
                     "vmin.s32 q0, q0, %q[high]\n\t"
                     "vstrb.32 q0, [%[out]], #4\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [a] "+l"(in1), [b] "+l"(in2), [out] "+l"(out)
                     : [n] "r"(p->size), [offset] "r"(p->offset), [offset2] "r"(p->offset2),
                       [multiplier1] "r"(p->multiplier1), [shift1] "r"(p->shift1),
                       [multiplier] "r"(p->multiplier), [shift] "r"(p->shift),
                       [zero] "r"((int32_t)p->out_zero_point), [factor] "w"(factor),
                       [second] "w"(second), [low] "w"(low), [high] "w"(high)
                     : "q0", "q1", "q2", "lr", "memory");
}

#else

void edgec_add_int8_mve(const edgec_add_int8_mve_params *p, const int8_t *in1, const int8_t *in2,
                        int8_t *out)
{
    for (int32_t i = 0; i < p->size; ++i) {
        int32_t v = in1[i] * p->factor + p->offset;
        v = edgec_requant_double(v, p->multiplier1, p->shift1);
        v += in2[i] * SECOND + p->offset2;
        v = edgec_requant_double(v, p->multiplier, p->shift) + p->out_zero_point;
        out[i] = (int8_t)edgec_clamp(v, p->out_min, p->out_max);
    }
}

#endif
