/* edgec: hot */
#include "edgec_rescale_int16.h"

#include "edgec_requant.h"

static int32_t below(const edgec_rescale_int16_params *p, int32_t x)
{
    const int32_t m = p->below_multiplier;
    const int32_t v = edgec_requant_double(x, m < 0 ? -m : m, p->below_shift);
    return m < 0 ? -v : v;
}

void edgec_rescale_int16(const edgec_rescale_int16_params *p, const int16_t *in, int16_t *out)
{
    for (int32_t i = p->size; i > 0; --i) {
        const int32_t x = *in++;
        const int32_t v = x < 0 ? below(p, x) : edgec_requant_double(x, p->multiplier, p->shift);
        *out++ = (int16_t)edgec_clamp(v, p->out_min, p->out_max);
    }
}
