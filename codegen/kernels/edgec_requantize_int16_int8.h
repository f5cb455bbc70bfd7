#ifndef EDGEC_REQUANTIZE_INT16_INT8_H
#define EDGEC_REQUANTIZE_INT16_INT8_H

#include <stdint.h>

#include "edgec_requantize.h"

typedef edgec_requantize_params edgec_requantize_int16_int8_params;

/* in (size) -> out (size), at another scale. */
void edgec_requantize_int16_int8(const edgec_requantize_int16_int8_params *p, const int16_t *in,
                                 int8_t *out);

#endif
