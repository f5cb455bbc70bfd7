#ifndef EDGEC_ADD_INT8_VECTOR_H
#define EDGEC_ADD_INT8_VECTOR_H

#include "edgec_vector.h"

/* The second input has the larger scale, so that it is only shifted. */
typedef struct {
    const int32_t *scales;      /* two edgec_channels16: of the first input, and of the sum */
    int32_t first_shift;        /* to the left, before it is rescaled */
    int32_t offset, offset2;    /* what the zero points take off, after the shift */
    int32_t size;
    edgec_ends ends;
} edgec_add_int8_vector_params;

/* out = in1 + in2, element by element; out may be in1 or in2. */
void edgec_add_int8_vector(const edgec_add_int8_vector_params *p, const int8_t *in1,
                           const int8_t *in2, int8_t *out);

#endif
