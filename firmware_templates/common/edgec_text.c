#include "edgec_text.h"

#include <string.h>

#include "edgec_hal.h"

/* The largest float32 has 39 digits before the point, its thousandfold three more. */
#define DIGITS 48u

void edgec_text(const char *text)
{
    edgec_hal_write((const uint8_t *)text, strlen(text));
}

void edgec_text_number(uint64_t value)
{
    char digits[21];
    uint32_t at = sizeof digits - 1;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + (int)(value % 10u));
        value /= 10u;
    } while (value != 0);
    edgec_text(&digits[at]);
}

void edgec_text_hex(uint8_t value)
{
    static const char digits[] = "0123456789abcdef";
    const char text[3] = {digits[value >> 4], digits[value & 15u], 0};
    edgec_text(text);
}

/* value >> shift, rounded to nearest, to even where two are as near. */
static uint64_t rounded(uint64_t value, uint32_t shift)
{
    if (shift == 0) {
        return value;
    }
    if (shift > 40) {
        return 0; /* a thousandfold mantissa has 34 bits */
    }
    const uint64_t half = (uint64_t)1 << (shift - 1);
    const uint64_t rest = value & ((half << 1) - 1);
    const uint64_t floor = value >> shift;
    return floor + (rest > half || (rest == half && (floor & 1u) != 0) ? 1u : 0u);
}

/* Prints thousandths * 2^doublings, digit by digit, as it may be longer than any integer type. */
static void print_thousandths(uint64_t thousandths, uint32_t doublings)
{
    uint8_t digits[DIGITS] = {0}; /* lowest first */
    uint32_t count = 0;
    for (; thousandths != 0; thousandths /= 10u) {
        digits[count++] = (uint8_t)(thousandths % 10u);
    }
    for (; doublings > 0; --doublings) {
        uint32_t carry = 0;
        for (uint32_t i = 0; i < count; ++i) {
            const uint32_t twice = 2u * digits[i] + carry;
            digits[i] = (uint8_t)(twice % 10u);
            carry = twice / 10u;
        }
        if (carry != 0) {
            digits[count++] = (uint8_t)carry;
        }
    }
    count = count < 4 ? 4 : count;
    char text[DIGITS + 2];
    uint32_t at = 0;
    while (count > 0) {
        text[at++] = (char)('0' + digits[--count]);
        if (count == 3) {
            text[at++] = '.';
        }
    }
    text[at] = 0;
    edgec_text(text);
}

void edgec_text_milli(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t biased = (bits >> 23) & 0xFFu;
    const uint32_t fraction = bits & 0x7FFFFFu;
    if (biased == 0xFFu && fraction != 0) {
        edgec_text("nan");
        return;
    }
    edgec_text((bits >> 31) != 0 ? "-" : "");
    if (biased == 0xFFu) {
        edgec_text("inf");
        return;
    }
    const uint64_t thousandfold = (biased == 0 ? fraction : fraction | 0x800000u) * (uint64_t)1000;
    const uint32_t exponent = biased == 0 ? 1 : biased; /* value = mantissa * 2^(exponent - 150) */
    if (exponent < 150) {
        print_thousandths(rounded(thousandfold, 150 - exponent), 0);
    } else {
        print_thousandths(thousandfold, exponent - 150);
    }
}
