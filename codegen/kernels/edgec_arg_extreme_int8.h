#ifndef EDGEC_ARG_EXTREME_INT8_H
#define EDGEC_ARG_EXTREME_INT8_H

#include "edgec_arg_extreme.h"

typedef edgec_arg_extreme_params edgec_arg_extreme_int8_params;

/* in (outer, size, inner) -> out (outer, inner). */
void edgec_arg_extreme_int8(const edgec_arg_extreme_int8_params *p, const int8_t *in, void *out);

#endif
