/* edgec: hot */
#include "edgec_average_pool_2d_int8.h"

#include <string.h>

#include "edgec_requant.h"

/* The part of a window that is inside the image. */
typedef struct {
    const int8_t *in; /* first channel of its first pixel */
    int32_t rows, columns;
    int32_t skip; /* from behind a row to the next */
} inside;

static int32_t min_int(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int8_t finish(const edgec_average_pool_2d_int8_params *p, int32_t sum, int32_t count)
{
    const int32_t half = count / 2;
    const int32_t mean = (sum > 0 ? sum + half : sum - half) / count;
    return (int8_t)edgec_clamp(mean, p->out_min, p->out_max);
}

#if defined(__ARM_FEATURE_DSP) && !defined(__OPTIMIZE_SIZE__)

/* As many bytes as surely add up to 16 bits. */
#define MOST_PIXELS 255

/* Four channels at a time, in two pairs of sums; returns the channels that are done. */
static int32_t fours(const edgec_average_pool_2d_int8_params *p, const inside *w, int32_t count,
                     int8_t *out)
{
    int32_t c = 0;
    if (count > MOST_PIXELS) {
        return 0;
    }
    for (; c + 4 <= p->channels; c += 4, out += 4) {
        const int8_t *in = w->in + c;
        uint32_t even = 0;
        uint32_t odd = 0;
        for (int32_t y = w->rows; y > 0; --y, in += w->skip) {
            for (int32_t x = w->columns; x > 0; --x, in += p->channels) {
                uint32_t v;
                memcpy(&v, in, sizeof v);
                __asm__("sxtab16 %0, %0, %2\n\t"
                        "sxtab16 %1, %1, %2, ror #8"
                        : "+r"(even), "+r"(odd)
                        : "r"(v));
            }
        }
        for (int32_t i = 0; i < 4; i += 2, even >>= 16, odd >>= 16) {
            out[i] = finish(p, (int16_t)(even & 0xffffu), count);
            out[i + 1] = finish(p, (int16_t)(odd & 0xffffu), count);
        }
    }
    return c;
}

#else

static int32_t fours(const edgec_average_pool_2d_int8_params *p, const inside *w, int32_t count,
                     int8_t *out)
{
    (void)p;
    (void)w;
    (void)count;
    (void)out;
    return 0;
}

#endif

static void window(const edgec_average_pool_2d_int8_params *p, const inside *w, int8_t *out)
{
    const int32_t count = w->rows * w->columns;
    for (int32_t c = fours(p, w, count, out); c < p->channels; ++c) {
        const int8_t *in = w->in + c;
        int32_t sum = 0;
        for (int32_t y = w->rows; y > 0; --y, in += w->skip) {
            for (int32_t x = w->columns; x > 0; --x, in += p->channels) {
                sum += *in;
            }
        }
        out[c] = finish(p, sum, count);
    }
}

void edgec_average_pool_2d_int8(const edgec_average_pool_2d_int8_params *p, const int8_t *in,
                                int8_t *out)
{
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * p->in_w * p->channels) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            const int32_t y0 = y < 0 ? 0 : y;
            const int32_t rows = min_int(y + p->kernel_h, p->in_h) - y0;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                const int32_t x0 = x < 0 ? 0 : x;
                const int32_t columns = min_int(x + p->kernel_w, p->in_w) - x0;
                const inside w = {in + (y0 * p->in_w + x0) * p->channels, rows, columns,
                                  (p->in_w - columns) * p->channels};
                window(p, &w, out);
            }
        }
    }
}
