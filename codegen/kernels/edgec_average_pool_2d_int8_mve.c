/* edgec: hot */
#include "edgec_average_pool_2d_int8_mve.h"

#include "edgec_requant.h"

/* The part of a window that is inside the image, at least one pixel. */
typedef struct {
    const int8_t *in; /* first channel of its first pixel */
    int32_t rows, columns;
    int32_t step; /* from a pixel to the next */
    int32_t skip; /* from behind a row to the next */
} inside;

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)

/* Sum up to 16 channels of which n are wanted: the even ones, then the odd ones. */
static void sum(const inside *w, int32_t first, int32_t n, int16_t sums[16])
{
    const int8_t *in = w->in + first;
    int32_t rows = w->rows;
    __asm__ volatile("vmov.i32 q0, #0\n\t"
                     "vmov.i32 q1, #0\n\t"
                     "vctp.8 %[n]\n"
                     "1:\n\t"
                     "dls lr, %[columns]\n"
                     "2:\n\t"
                     "vpst\n\t"
                     "vldrbt.u8 q2, [%[in]]\n\t"
                     "add %[in], %[in], %[step]\n\t"
                     "vmovlb.s8 q3, q2\n\t"
                     "vmovlt.s8 q2, q2\n\t"
                     "vadd.i16 q0, q0, q3\n\t"
                     "vadd.i16 q1, q1, q2\n\t"
                     "le lr, 2b\n\t"
                     "add %[in], %[in], %[skip]\n\t"
                     "subs %[rows], %[rows], #1\n\t"
                     "bne 1b\n\t"
                     "vstrh.16 q0, [%[sums]]\n\t"
                     "vstrh.16 q1, [%[sums], #16]"
                     : [in] "+r"(in), [rows] "+r"(rows)
                     : [n] "r"(n), [columns] "r"(w->columns), [step] "r"(w->step),
                       [skip] "r"(w->skip), [sums] "r"(sums)
                     : "q0", "q1", "q2", "q3", "lr", "cc", "memory");
}

#else

static void sum(const inside *w, int32_t first, int32_t n, int16_t sums[16])
{
    for (int32_t c = 0; c < n; ++c) {
        const int8_t *in = w->in + first + c;
        int32_t total = 0;
        for (int32_t y = 0; y < w->rows; ++y) {
            for (int32_t x = 0; x < w->columns; ++x) {
                total += in[y * (w->columns * w->step + w->skip) + x * w->step];
            }
        }
        sums[c / 2 + 8 * (c % 2)] = (int16_t)total;
    }
}

#endif

static void pixel(const edgec_average_pool_2d_int8_mve_params *p, const inside *w, int8_t *out)
{
    const int32_t count = w->rows * w->columns;
    const int32_t half = count / 2;
    for (int32_t first = 0; first < p->channels; first += 16) {
        const int32_t n = p->channels - first < 16 ? p->channels - first : 16;
        int16_t sums[16];
        sum(w, first, n, sums);
        for (int32_t c = 0; c < n; ++c) {
            const int32_t v = sums[c / 2 + 8 * (c % 2)];
            const int32_t mean = (v > 0 ? v + half : v - half) / count;
            *out++ = (int8_t)edgec_clamp(mean, p->out_min, p->out_max);
        }
    }
}

void edgec_average_pool_2d_int8_mve(const edgec_average_pool_2d_int8_mve_params *p,
                                    const int8_t *in, int8_t *out)
{
    const int32_t pitch = p->in_w * p->channels;
    for (int32_t b = 0; b < p->batches; ++b, in += p->in_h * pitch) {
        for (int32_t oy = 0; oy < p->out_h; ++oy) {
            const int32_t y = oy * p->stride_h - p->pad_top;
            const int32_t top = edgec_clamp(y, 0, p->in_h);
            const int32_t rows = edgec_clamp(y + p->kernel_h, 0, p->in_h) - top;
            for (int32_t ox = 0; ox < p->out_w; ++ox, out += p->channels) {
                const int32_t x = ox * p->stride_w - p->pad_left;
                const int32_t left = edgec_clamp(x, 0, p->in_w);
                const int32_t columns = edgec_clamp(x + p->kernel_w, 0, p->in_w) - left;
                const inside w = {in + top * pitch + left * p->channels, rows, columns, p->channels,
                                  pitch - columns * p->channels};
                pixel(p, &w, out);
            }
        }
    }
}
