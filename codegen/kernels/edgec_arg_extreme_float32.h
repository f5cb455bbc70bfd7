#ifndef EDGEC_ARG_EXTREME_FLOAT32_H
#define EDGEC_ARG_EXTREME_FLOAT32_H

#include "edgec_arg_extreme.h"

typedef edgec_arg_extreme_params edgec_arg_extreme_float32_params;

/* in (outer, size, inner) -> out (outer, inner). */
void edgec_arg_extreme_float32(const edgec_arg_extreme_float32_params *p, const float *in,
                               void *out);

#endif
