#ifndef EDGEC_REQUANTIZE_INT16_INT16_H
#define EDGEC_REQUANTIZE_INT16_INT16_H

#include <stdint.h>

#include "edgec_requantize.h"

typedef edgec_requantize_params edgec_requantize_int16_int16_params;

/* in (size) -> out (size), at another scale. */
void edgec_requantize_int16_int16(const edgec_requantize_int16_int16_params *p, const int16_t *in,
                                  int16_t *out);

#endif
