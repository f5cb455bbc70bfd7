/* The core of int8 convolution on cores with SMLAD: 4 output channels by 2 pixels at a time.
 *
 * Products are numbered k; they come in groups of four, in the order 0 2 1 3, which is how SXTB16
 * widens a word. One halfword of a weight word is 256 * high + low, the weights of two output
 * channels: SMLAD on the whole halfword sums both at once, SMLAD on its sign-extended low byte
 * sums the low channel, and the difference / 256 is the high channel. */
#ifndef EDGEC_CONV_2D_INT8_DSP_BLOCK_H
#define EDGEC_CONV_2D_INT8_DSP_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* One layer's blocks. The assembly knows the order of the first ten. */
typedef struct {
    const uint32_t *lanes; /* (depth / 2, 2 pixels) pairs of int16, aligned to 8 */
    const uint32_t *lanes_long; /* where the unrolled loop ends: 16 products a turn */
    const uint32_t *lanes_end;
    int8_t *out_a;
    int8_t *out_b; /* written first, so that it may be out_a where there is no second pixel */
    const int32_t *channels; /* (out_ch / 4, {4 starts, 4 x {scale, finish}}) */
    const int32_t *channels_end;
    int32_t clamped; /* 0: the clamp is that of int8 */
    uint32_t out_min, out_max; /* the clamp, in each of four bytes */
    const int32_t *weights; /* (out_ch / 4, depth / 4, {k 0 2, k 1 3}, {channels 0 1, 2 3}) */
    int32_t out_ch;
    int32_t out_stride; /* bytes from one pixel to the next */
} edgec_conv_2d_int8_dsp_blocks;

/* Fill in what stays the same for all pixels; depth is a multiple of 4. */
static inline edgec_conv_2d_int8_dsp_blocks
edgec_conv_2d_int8_dsp_begin(const int32_t *weights, const int32_t *channels, const uint32_t *lanes,
                             int32_t depth, int32_t out_ch, int8_t out_min, int8_t out_max)
{
    edgec_conv_2d_int8_dsp_blocks work;
    work.lanes = lanes;
    work.lanes_long = lanes + (depth & ~15);
    work.lanes_end = lanes + depth;
    work.out_a = NULL;
    work.out_b = NULL;
    work.channels = channels;
    work.channels_end = channels + out_ch / 4 * 12;
    work.clamped = out_min > INT8_MIN || out_max < INT8_MAX;
    work.out_min = (uint8_t)out_min * 0x01010101u;
    work.out_max = (uint8_t)out_max * 0x01010101u;
    work.weights = weights;
    work.out_ch = out_ch;
    work.out_stride = out_ch;
    return work;
}

/* All channels of one pixel or two, whose widened windows are in `lanes`, to `out`. */
void edgec_conv_2d_int8_dsp_pixels(edgec_conv_2d_int8_dsp_blocks *work, int8_t *out,
                                   int32_t pixels);

#if defined(__ARM_FEATURE_DSP)

#define EDGEC_WIDEN_FOUR \
    "ldr r6, [%1], #4\n\t" \
    "ldr r8, [%2], #4\n\t" \
    "sxtb16 r4, r6\n\t" \
    "sxtb16 r5, r8\n\t" \
    "sxtb16 r6, r6, ror #8\n\t" \
    "sxtb16 r8, r8, ror #8\n\t" \
    "stm %0!, {r4, r5, r6, r8}\n\t"

/* Widen n bytes of two pixels, n a positive multiple of 4, to interleaved pairs of int16. */
static inline uint32_t *edgec_conv_2d_int8_dsp_widen(uint32_t *lanes, const int8_t *a,
                                                     const int8_t *b, int32_t n)
{
    __asm__ volatile("tst %3, #4\n\t"
                     "beq 1f\n\t" EDGEC_WIDEN_FOUR "subs %3, %3, #4\n\t"
                     "beq 2f\n"
                     "1:\n\t" EDGEC_WIDEN_FOUR EDGEC_WIDEN_FOUR "subs %3, %3, #8\n\t"
                     "bne 1b\n"
                     "2:"
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
