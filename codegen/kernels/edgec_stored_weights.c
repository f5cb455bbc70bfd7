/* edgec: hot */
#include "edgec_stored_weights.h"

#include <string.h>

/* The weights that the codes of the next row mean. */
static void open_row(edgec_stored_weights *at, int8_t values[16])
{
    const int32_t count = 1 << at->bits;
    const int32_t *c = at->centroids;
    if (at->factors == NULL) {
        for (int32_t i = 0; i < count; ++i) {
            values[i] = (int8_t)c[i];
        }
        return;
    }
    const int64_t factor = *at->factors++;
    for (int32_t i = 0; i < count; ++i) {
        values[i] = (int8_t)((c[i] * factor + ((int64_t)1 << 45)) >> 46);
    }
}

#if defined(__GNUC__)
#define CALLED __attribute__((noinline)) /* else values are addressed from the stack pointer */
#else
#define CALLED
#endif

/* The weights of `length` codes. */
CALLED static void write_values(const uint8_t *codes, const int8_t *values, int8_t *to,
                                int32_t length, int32_t bits)
{
    const uint32_t low = ((uint32_t)1 << bits) - 1u;
    uint32_t word;
    for (; length >= 8; length -= 8, to += 8, codes += bits) {
        memcpy(&word, codes, 4);
        to[0] = values[word & low];
        word >>= bits;
        to[1] = values[word & low];
        word >>= bits;
        to[2] = values[word & low];
        word >>= bits;
        to[3] = values[word & low];
        word >>= bits;
        to[4] = values[word & low];
        word >>= bits;
        to[5] = values[word & low];
        word >>= bits;
        to[6] = values[word & low];
        to[7] = values[word >> bits & low];
    }
    if (length > 0) {
        memcpy(&word, codes, 4);
        for (; length > 0; --length, word >>= bits) {
            *to++ = values[word & low];
        }
    }
}

/* How many of a row's weights the mask has. */
static int32_t count_bits(const uint8_t *mask, int32_t length)
{
    int32_t count = 0;
    for (const uint8_t *end = mask + (length + 7) / 8; mask != end; ++mask) {
        uint32_t x = *mask;
        x -= x >> 1 & 0x55u;
        x = (x & 0x33u) + (x >> 2 & 0x33u);
        count += (int32_t)((x + (x >> 4)) & 15u);
    }
    return count;
}

/* Put zeros between the values where the mask is clear. They may lie at the end of `to`: a value is
 * read before its byte is written. */
CALLED static void spread(const uint8_t *mask, const int8_t *values, int8_t *to, int32_t length)
{
    for (; length >= 8; length -= 8, to += 8) {
        const uint32_t bits = *mask++;
        const int8_t *v = values;
        to[0] = bits & 1u ? *v++ : 0;
        to[1] = bits & 2u ? *v++ : 0;
        to[2] = bits & 4u ? *v++ : 0;
        to[3] = bits & 8u ? *v++ : 0;
        to[4] = bits & 16u ? *v++ : 0;
        to[5] = bits & 32u ? *v++ : 0;
        to[6] = bits & 64u ? *v++ : 0;
        to[7] = bits & 128u ? *v++ : 0;
        values = v;
    }
    if (length > 0) {
        uint32_t bits = *mask;
        for (; length > 0; --length, bits >>= 1) {
            *to++ = bits & 1u ? *values++ : 0;
        }
    }
}

/* A row of weights and zeros. */
static void masked_row(edgec_stored_weights *at, const int8_t *values, int8_t *to)
{
    const int32_t length = at->length;
    const int32_t count = count_bits(at->masks, length);
    const int8_t *plain = (const int8_t *)at->codes;
    if (at->bits < 8) {
        write_values(at->codes, values, to + length - count, count, at->bits);
        plain = to + length - count;
    }
    spread(at->masks, plain, to, length);
    at->masks += (length + 7) / 8;
    at->codes += (count * at->bits + 7) / 8;
}

void edgec_stored_rows(edgec_stored_weights *at, int8_t *to, int32_t rows)
{
    int8_t values[16];
    for (; rows > 0; --rows, to += at->length) {
        if (at->centroids != NULL) {
            open_row(at, values);
        }
        if (at->masks != NULL) {
            masked_row(at, values, to);
        } else {
            write_values(at->codes, values, to, at->length, at->bits);
            at->codes += (at->length * at->bits + 7) / 8;
        }
    }
}

/* The weights of two rows in one halfword: 256 * high + low. */
static inline uint32_t both(int8_t low, int8_t high)
{
    return (uint32_t)(256 * high + low) & 0xffffu;
}

static void join(const int8_t *low, const int8_t *high, int32_t length, uint32_t *to, int32_t step)
{
    for (; length > 0; length -= 4, low += 4, high += 4) {
        *to = both(low[0], high[0]) | both(low[2], high[2]) << 16;
        to += step;
        *to = both(low[1], high[1]) | both(low[3], high[3]) << 16;
        to += step;
    }
}

/* The next two rows of codes of four bits. */
CALLED static void join_codes(const uint8_t *low, const uint8_t *high, const int8_t *values,
                              int32_t length, uint32_t *to, int32_t step)
{
    const int8_t *a = values;
    const int8_t *b = values + 16;
    for (; length > 0; length -= 4, low += 2, high += 2) {
        const uint32_t i = low[0] | (uint32_t)low[1] << 8;
        const uint32_t j = high[0] | (uint32_t)high[1] << 8;
        *to = both(a[i & 15u], b[j & 15u]) | both(a[i >> 8 & 15u], b[j >> 8 & 15u]) << 16;
        to += step;
        *to = both(a[i >> 4 & 15u], b[j >> 4 & 15u]) | both(a[i >> 12], b[j >> 12]) << 16;
        to += step;
    }
}

void edgec_stored_pairs(edgec_stored_weights *at, uint32_t *to, int32_t rows, int32_t block,
                        int8_t *spare)
{
    const int32_t length = at->length;
    const int32_t words = length / 4 * block;
    for (int32_t row = 0; row < rows || row % block != 0; row += 2) {
        const int32_t whole = rows - row < 0 ? 0 : rows - row < 2 ? rows - row : 2;
        uint32_t *first = to + row / block * words + row % block / 2;
        if (whole == 2 && at->bits == 4 && at->masks == NULL) {
            int8_t values[32];
            open_row(at, values);
            open_row(at, values + 16);
            join_codes(at->codes, at->codes + length / 2, values, length, first, block / 2);
            at->codes += length;
            continue;
        }
        edgec_stored_rows(at, spare, whole);
        memset(spare + whole * length, 0, (size_t)((2 - whole) * length));
        join(spare, spare + length, length, first, block / 2);
    }
}
