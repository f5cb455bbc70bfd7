#ifndef EDGEC_PRODUCTS_FLOAT32_VECTOR8_H
#define EDGEC_PRODUCTS_FLOAT32_VECTOR8_H

#include "edgec_products_float32_vector.h"

typedef edgec_products_float32_vector edgec_products_float32_vector8_params;

/* in (batches, in_h, in_w, in_ch) -> out (batches, out_h, out_w, out_ch), 8 channels at a time;
 * scratch: a strip of the image. */
void edgec_products_float32_vector8(const edgec_products_float32_vector8_params *p, const float *in,
                                    float *out, void *scratch);

#endif
