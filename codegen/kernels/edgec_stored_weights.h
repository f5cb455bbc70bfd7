/* int8 weights as flash holds them where few values or many zeros allow less than a byte each. */
#ifndef EDGEC_STORED_WEIGHTS_H
#define EDGEC_STORED_WEIGHTS_H

#include <stdint.h>

/* Rows are the output channels. The codes of a row begin on a whole byte, least bits first, and
 * three more bytes follow the last row. A code below 8 bits is the number of a centroid. The weight
 * of centroid c in a row of factor f is c * f / 2^46, rounded to the nearest, halves up; without
 * factors it is c. */
typedef struct {
    const uint8_t *masks; /* null, or (rows, (length + 7) / 8): weights of a clear bit are 0 */
    const uint8_t *codes; /* of the weights of set bits, or of all */
    const int32_t *centroids; /* (2^bits), or null: codes are weights */
    const int32_t *factors; /* (rows), or null */
    int32_t length; /* weights of a row */
    int32_t bits; /* of a code: 1 .. 4, or 8 */
} edgec_stored_weights;

/* Write out the next `rows` rows to `to` and step behind them. */
void edgec_stored_rows(edgec_stored_weights *at, int8_t *to, int32_t rows);

/* Write out the next `rows` rows as words of pairs of rows, as the kernels for SMLAD read them (see
 * edgec_conv_2d_int8_dsp_block.h), with rows of zeros up to a whole block. `length` is a multiple
 * of 4, a block 4 rows or 8. to: (blocks, length / 4, {k 0 2, k 1 3}, block / 2), and `spare` has
 * room for two rows. */
void edgec_stored_pairs(edgec_stored_weights *at, uint32_t *to, int32_t rows, int32_t block,
                        int8_t *spare);

#endif
