/* Depthwise 3x3 products over channel planes, what the kernels for strides 1 and 2 share.
 *
 * Four channels at a time are taken out of the image into planes that are padded with the zero
 * point and hold two rows in one word: the upper row in the low half. Row n of pairs are the padded
 * rows 2n and 2n + 1. Two rows of pairs give one step of output: two rows at stride 1, one at 2. */
#ifndef EDGEC_DEPTHWISE_PAIRS_H
#define EDGEC_DEPTHWISE_PAIRS_H

#include <stdint.h>

#include "edgec_requant.h"

typedef struct {
    /* (in_ch, 10): taps 00 01 10 11 02 20 12 21 22, row before column; right shift >= 1 */
    const int8_t *weights;
    const int32_t *scales; /* (in_ch, {twice the bias, multiplier}) */
    int16_t batches, in_h, in_w, in_ch;
    int16_t out_h, out_w, stride, pad_top, pad_left;
    int16_t pitch; /* words of a row of pairs: padded columns that are read */
    int16_t steps; /* of output made at once; scratch has steps + 1 rows of pairs */
    int8_t in_zero_point, out_zero_point;
} edgec_depthwise_pairs_params;

/* One channel of a band. The order of the fields is known to the assembly. */
typedef struct {
    const uint32_t *end; /* of the pairs of the first row that start two columns of output */
    int32_t skip;       /* bytes from there to the next row of pairs */
    int32_t out_skip;   /* bytes from behind these outputs to those of the next step */
    int32_t pitch;      /* bytes of a row of pairs */
    int32_t steps;      /* of output */
    int32_t odd;        /* whether there is one more column of output */
    int32_t zero_point; /* of the output */
    int32_t multiplier;
    int32_t nudge; /* half a unit and the zero point, before the shift */
    int32_t shift;
    int8_t *out;  /* first output of the last row of a step */
    int32_t step; /* bytes between two columns of output */
    int32_t row;  /* bytes between two rows of output; 0: a step has one row */
    int32_t bias; /* doubled */
    const uint32_t *pairs;
    uint32_t above[3]; /* weights of each column, doubled: rows 0 and 1 */
    uint32_t below[3]; /* rows 1 and 2 */
} edgec_depthwise_plane;

/* Make all steps of one channel. */
typedef void edgec_depthwise_pairs_kernel(const edgec_depthwise_plane *plane);

void edgec_depthwise_pairs(const edgec_depthwise_pairs_params *p, const int8_t *in, int8_t *out,
                           void *scratch, edgec_depthwise_pairs_kernel *kernel);

#endif
