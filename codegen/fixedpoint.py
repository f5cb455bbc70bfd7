"""gemmlowp's fixed-point functions on int32 values held as int64.

Source: gemmlowp `fixedpoint/fixedpoint.h`. Qm.n is a number with m integer and n fraction bits.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.quantmath import doubling_high_mul, rounding_divide_by_pot
from edgec.pipeline.graph import Array

_INT32_MAX = (1 << 31) - 1
_EXP_STEPS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
"""exp(-2**e) in Q0.31 for each exponent e."""


def exp_on_negative_values(a: Array, integer_bits: int = 5) -> Array:
    """Return exp(a) in Q0.31 for a <= 0 in Q`integer_bits`."""
    fraction = 31 - integer_bits
    quarter = np.int64(1 << (fraction - 2))
    modulo = (a & (quarter - 1)) - quarter
    result = _exp_quarter(modulo << integer_bits)
    remainder = modulo - a
    for exponent, factor in _EXP_STEPS:
        if integer_bits > exponent:
            bit = np.int64(1) << (fraction + exponent)
            result = np.where(remainder & bit, doubling_high_mul(result, factor), result)
    return np.where(a == 0, _INT32_MAX, result)


def _exp_quarter(a: Array) -> Array:
    """Return exp(a) for -1/4 <= a < 0, both Q0.31, by a Taylor polynomial round -1/8."""
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4_over_4 = rounding_divide_by_pot(doubling_high_mul(x2, x2), 2)
    tail = rounding_divide_by_pot(doubling_high_mul(x4_over_4 + x3, 715827883) + x2, 1)
    return np.asarray(1895147668 + doubling_high_mul(x + tail, 1895147668))


def reciprocal(x: int, integer_bits: int) -> tuple[int, int]:
    """Return (scale in Q0.31, bits) with 1 / x = scale * 2**-bits for x > 0 in Q`integer_bits`.

    Source: TFLite GetReciprocal.
    """
    headroom = 32 - x.bit_length()
    shifted = ((x << headroom) & 0xFFFFFFFF) - (1 << 31)
    return one_over_one_plus_x(shifted), integer_bits - headroom


def one_over_one_plus_x(a: int) -> int:
    """Return 1 / (1 + a) in Q0.31 for 0 <= a < 1."""
    return _saturating_shift(_twice_reciprocal(a), 1)


def one_minus_x_over_one_plus_x(a: int) -> int:
    """Return (1 - a) / (1 + a) in Q0.31 for 0 <= a < 1."""
    return _saturating_shift(_twice_reciprocal(a) - (1 << 29), 2)


def _twice_reciprocal(a: int) -> int:
    """Return 2 / (1 + a) in Q2.29 for a in Q0.31, by three Newton-Raphson steps."""

    def mul(p: int, q: int) -> int:
        return int(doubling_high_mul(np.array(p, np.int64), q))

    half = (a + _INT32_MAX + 1) >> 1
    x = 1515870810 + mul(half, -1010580540)
    for _ in range(3):
        error = (1 << 29) - mul(half, x)
        x = x + _saturating_shift(mul(x, error), 2)
    return x


def _saturating_shift(x: int, bits: int) -> int:
    return min(max(x << bits, -_INT32_MAX - 1), _INT32_MAX)
