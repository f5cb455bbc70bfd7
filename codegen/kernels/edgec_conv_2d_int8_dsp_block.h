/* The core of int8 convolution on cores with SMLAD: 4 output channels by 2 pixels at a time.
 *
 * Products are numbered k; they come in groups of four, in the order 0 2 1 3, which is how SXTB16
 * widens a word. One halfword of a weight word is 256 * high + low, the weights of two output
 * channels: SMLAD on the whole halfword sums both at once, SMLAD on its sign-extended low byte
 * sums the low channel, and the difference / 256 is the high channel. */
#ifndef EDGEC_CONV_2D_INT8_DSP_BLOCK_H
#define EDGEC_CONV_2D_INT8_DSP_BLOCK_H

#include <stdint.h>
#include <string.h>

typedef struct {
    const int32_t *weights;  /* (out_ch / 4, depth / 4, {k 0 2, k 1 3}, {channels 0 1, 2 3}) */
    const int32_t *channels; /* (out_ch / 4, {4 starts, 4 x {scale, finish}}) */
    int32_t depth;           /* products per output, a multiple of 4 */
    int32_t out_ch;
    uint32_t out_min, out_max; /* the clamp, in each of four bytes */
} edgec_conv_2d_int8_dsp_rows;

/* All channels of one pixel or two, whose (pixels, out_ch) outputs follow each other in memory.
 * lanes: (depth / 2, 2 pixels) pairs of int16, from `edgec_conv_2d_int8_dsp_widen`. */
void edgec_conv_2d_int8_dsp_block(const edgec_conv_2d_int8_dsp_rows *rows, const uint32_t *lanes,
                                  int8_t *out, int32_t pixels);

#if defined(__ARM_FEATURE_DSP)

/* Widen n bytes of two pixels, n a positive multiple of 4, to interleaved pairs of int16. */
static inline uint32_t *edgec_conv_2d_int8_dsp_widen(uint32_t *lanes, const int8_t *a,
                                                     const int8_t *b, int32_t n)
{
    __asm__ volatile("1:\n\t"
                     "ldr r6, [%1], #4\n\t"
                     "ldr r8, [%2], #4\n\t"
                     "subs %3, %3, #4\n\t"
                     "sxtb16 r4, r6\n\t"
                     "sxtb16 r5, r8\n\t"
                     "sxtb16 r6, r6, ror #8\n\t"
                     "sxtb16 r8, r8, ror #8\n\t"
                     "stm %0!, {r4, r5, r6, r8}\n\t"
                     "bne 1b"
                     : "+r"(lanes), "+r"(a), "+r"(b), "+r"(n)
                     :
                     : "r4", "r5", "r6", "r8", "cc", "memory");
    return lanes;
}

#else

static inline uint32_t edgec_lane_pair(int8_t low, int8_t high)
{
    return (uint32_t)(uint16_t)low | (uint32_t)(uint16_t)high << 16;
}

static inline uint32_t *edgec_conv_2d_int8_dsp_widen(uint32_t *lanes, const int8_t *a,
                                                     const int8_t *b, int32_t n)
{
    for (; n > 0; n -= 4, a += 4, b += 4) {
        *lanes++ = edgec_lane_pair(a[0], a[2]);
        *lanes++ = edgec_lane_pair(b[0], b[2]);
        *lanes++ = edgec_lane_pair(a[1], a[3]);
        *lanes++ = edgec_lane_pair(b[1], b[3]);
    }
    return lanes;
}

#endif

#endif
