/* Hook that generated code calls after each layer of a profile build (EDGEC_PROFILE). */
#ifndef EDGEC_PROFILE_H
#define EDGEC_PROFILE_H

#include <stdint.h>

/* Records the time since the last hook and the FNV-1a hash of a layer's output. */
void edgec_layer(uint16_t layer, uint16_t output, const void *data, uint32_t bytes);

#define EDGEC_LAYER(layer, output, data, bytes) \
    edgec_layer((uint16_t)(layer), (uint16_t)(output), (data), (uint32_t)(bytes))

#endif
