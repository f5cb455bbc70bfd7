/* edgec: hot */
#include "edgec_depthwise_conv_2d_int8_vector.h"

#include "edgec_requant.h"

typedef edgec_depthwise_conv_2d_int8_vector_params params;

/* The first `n` channels of a group whose weights are laid out for other vectors. */
static void any_group(const params *p, const uint8_t *x, int32_t group, int8_t *out, int32_t n)
{
    const int32_t lanes = EDGEC_LANES * p->units;
    const int8_t *weights = p->weights + (ptrdiff_t)group * p->quads * 4 * lanes;
    const edgec_channels16 *c =
        (const edgec_channels16 *)(const void *)p->channels + (ptrdiff_t)group * p->units;
    for (int32_t i = 0; i < lanes; ++i) {
        const int32_t to = i / 4 % p->units * EDGEC_LANES + i / 4 / p->units * 4 + i % 4;
        const int32_t lane = i % EDGEC_LANES;
        const edgec_channels16 *set = c + i / EDGEC_LANES;
        int32_t sum = set->start[lane];
        for (int32_t k = 0; k < 4 * p->quads; ++k) {
            const int32_t at = p->planar ? k * lanes + i : (k / 4 * lanes + i) * 4 + k % 4;
            sum += (int8_t)(x[p->taps[k] + to] ^ EDGEC_FLIP) * weights[at];
        }
        if (to < n) {
            sum = edgec_requant_double(sum, set->multiplier[lane], -set->shift[lane]);
            sum += set->nudge[lane] >> set->shift[lane]; /* the zero point */
            out[to] = (int8_t)edgec_clamp(sum, p->ends.out_min, p->ends.out_max);
        }
    }
}

static void group(const params *p, const uint8_t *x, int32_t number, int8_t *out, int32_t n)
{
    const ptrdiff_t lanes = EDGEC_LANES * EDGEC_UNITS;
    const edgec_channels16 *c =
        (const edgec_channels16 *)(const void *)p->channels + (ptrdiff_t)number * EDGEC_UNITS;
    edgec_set sums[EDGEC_UNITS];
    EDGEC_UNROLL
    for (int32_t i = 0; i < EDGEC_UNITS; ++i) {
        sums[i] = edgec_set_start(c + i);
    }
    edgec_group_sums(x, p->taps, p->quads, p->weights + number * p->quads * 4 * lanes, sums);
    EDGEC_UNROLL
    for (int32_t i = 0; i < EDGEC_UNITS; ++i) {
        sums[i] = edgec_set_rescale(sums[i], c + i, 0);
    }
    edgec_group_store(sums, &p->ends, out, n);
}

/* One row of output: its last pixel may count fewer. */
static void row(const params *p, const uint8_t *image, int8_t *out)
{
    const int32_t lanes = EDGEC_LANES * p->units;
    const int32_t fits = p->units == EDGEC_UNITS && p->planar == EDGEC_PLANAR;
    for (int32_t left = p->row_bytes; left > 0; left -= p->joined, image += p->pixel_bytes) {
        const int32_t n = left < p->joined ? left : p->joined;
        for (int32_t c = 0, number = 0; c < n; c += lanes, ++number) {
            const int32_t some = n - c < lanes ? n - c : lanes;
            if (fits) {
                group(p, image + c, number, out + c, some);
            } else {
                any_group(p, image + c, number, out + c, some);
            }
        }
        out += n;
    }
}

void edgec_depthwise_conv_2d_int8_vector(const edgec_depthwise_conv_2d_int8_vector_params *p,
                                         const int8_t *in, int8_t *out, void *scratch)
{
    const edgec_image *g = &p->image;
    const int32_t pitch = g->width * g->channels;
    for (int32_t b = 0; b < p->batches; ++b, in += (ptrdiff_t)g->in_h * g->in_w * g->channels) {
        for (int32_t y = 0; y < p->out_h; y += p->strip_rows) {
            const int32_t left = p->out_h - y;
            const int32_t rows = left < p->strip_rows ? left : p->strip_rows;
            const uint8_t *image = scratch;
            edgec_image_rows(g, in, y * p->stride_h - p->pad_top,
                             (rows - 1) * p->stride_h + p->reach, scratch);
            for (int32_t i = 0; i < rows; ++i, out += p->row_bytes) {
                row(p, image, out);
                image += p->stride_h * pitch;
            }
        }
    }
}
