/* Vectors of int8 products and their rescaling: for AVX-512 and AVX2, with VNNI or not, for NEON,
 * with the dot product or not, and in portable C, which is taken where EDGEC_PORTABLE is defined.
 *
 * A set is the sums of 16 channels. Products come in quads: four bytes of the input by four weights
 * of each channel. The input is kept with its sign bit flipped (EDGEC_FLIP) where the instructions
 * want it unsigned; what that adds to a sum is known, so that the kernels' answers are the same.
 *
 * What each header defines:
 * edgec_set                      the type of 16 sums
 * EDGEC_FLIP                     0x80 or 0: what bytes of the input are XORed with
 * EDGEC_PIXELS, EDGEC_SWEEPS     the tiles: X(sets, most pixels), of which those of one pixel serve
 *                                where there are fewer than EDGEC_PIXELS; X(1, ...) comes last
 * EDGEC_UNITS, EDGEC_PLANAR      how weights of a depthwise group are laid out
 * edgec_flip_copy, edgec_fill    for the image; may write up to EDGEC_SLACK bytes too many
 * edgec_set_start                a set's sums without any product
 * edgec_set_load, ..._all, ..._add, ..._shift_left, ..._spill   arithmetic
 * edgec_tile_sums                adds all quads of some pixels by some sets
 * edgec_set_rescale              to the scale of the output, its zero point added
 * edgec_sets_store               saturate, clamp and write
 * edgec_group_sums               adds the taps of EDGEC_UNITS sets of channels, each by its own */
#ifndef EDGEC_VECTOR_H
#define EDGEC_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EDGEC_LANES 16
#define EDGEC_SLACK 64 /* bytes that may be written, or read in the image, beyond the end */

/* What a set's channels take beside weights: the fields of EDGEC_LANES channels one after the
 * other. The zero point of the input is in `start`; `offset` is 128 times the sum of weights. */
typedef struct {
    int32_t start[EDGEC_LANES];
    int32_t offset[EDGEC_LANES];
    int32_t multiplier[EDGEC_LANES];
    int32_t nudge[EDGEC_LANES]; /* (2 * out_zero_point + 1) << (shift - 1) */
    int32_t shift[EDGEC_LANES]; /* to the right, 1 .. 22 */
} edgec_channels16;

typedef struct {
    int16_t out_min, out_max;
    int32_t single_rounding;
} edgec_ends;

#define EDGEC_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define EDGEC_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define EDGEC_UNROLL _Pragma("GCC unroll 16")
#else
#define EDGEC_UNROLL
#endif

#if defined(EDGEC_PORTABLE)
#include "edgec_vector_portable.h"
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512VNNI__)
#include "edgec_vector_avx512.h"
#elif defined(__AVX2__)
#include "edgec_vector_avx2.h"
#elif defined(__ARM_NEON)
#include "edgec_vector_neon.h"
#else
#include "edgec_vector_portable.h"
#endif

#endif
