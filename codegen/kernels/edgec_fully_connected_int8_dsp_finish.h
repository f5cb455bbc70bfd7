/* From sums of rows to bytes, for cores with SMLAD. */
#ifndef EDGEC_FULLY_CONNECTED_INT8_DSP_FINISH_H
#define EDGEC_FULLY_CONNECTED_INT8_DSP_FINISH_H

#include <string.h>

#include "edgec_fully_connected_int8_dsp.h"
#include "edgec_requant_dsp.h"

/* Odd sums are of two rows: 256 * odd + even. */

/* Rescale the sums of two rows to two bytes. */
static inline uint32_t edgec_finish_two(const int32_t *sums, const int32_t *scales, int32_t step,
                                        int single)
{
    const int32_t odd = (int32_t)((uint32_t)sums[1] - (uint32_t)sums[0]) >> 8;
    const int32_t *second = scales + step;
    const int32_t a = single ? edgec_finish_single(sums[0], scales[0], scales[1])
                             : edgec_finish_double(sums[0], scales[0], scales[1]);
    const int32_t b = single ? edgec_finish_single(odd, second[0], second[1])
                             : edgec_finish_double(odd, second[0], second[1]);
    return ((uint32_t)a & 0xffu) | ((uint32_t)b & 0xffu) << 8;
}

/* Rescale and clamp n sums, of which there are memory and scales up to a multiple of 4. */
static inline void edgec_finish_rows(const edgec_fully_connected_int8_dsp_params *p,
                                     const int32_t *sums, const int32_t *scales, int8_t *out,
                                     int32_t n, int single)
{
    const uint32_t low = (uint8_t)p->out_min * 0x01010101u;
    const uint32_t high = (uint8_t)p->out_max * 0x01010101u;
    const int32_t step = p->per_row ? 2 : 0;
    for (; n > 0; n -= 4, sums += 4, scales += 4 * step, out += 4) {
        uint32_t four = edgec_finish_two(sums, scales, step, single);
        four |= edgec_finish_two(sums + 2, scales + 2 * step, step, single) << 16;
        four = edgec_clamp_bytes(four, low, high);
        if (n >= 4) {
            memcpy(out, &four, 4);
        } else {
            memcpy(out, &four, (size_t)n);
        }
    }
}

#endif
