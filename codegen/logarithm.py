"""Natural logarithm in fixed point.

Source: TFLite `kernels/internal/common.h`, log_x_for_x_greater_than_or_equal_to_1_impl with 12
integer bits in and 5 out.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.fixedpoint import one_over_one_plus_x
from edgec.codegen.quantmath import doubling_high_mul, rounding_divide_by_pot

IN_BITS = 12
_ACCUM_BITS = 6
_QUARTER = 1 << (29 - _ACCUM_BITS)
_LOG_2 = 1488522236
_ROOT_ROOT_HALF = 1805811301
_ROOT_HALF = 1518500250
_ALPHA_N, _ALPHA_D, _ALPHA_I, _ALPHA_F = 117049297, 127690142, 1057819769, 638450708


def log_at_least_one(x: int) -> int:
    """Return log(x) in Q5.26 for x >= 1 in Q12.19.

    A rational approximation after scaling x by a power of two, with or without sqrt(1/2).
    """
    headroom = 31 - x.bit_length()
    first = _shift(_mul(_shift(x, headroom), _ROOT_HALF), 1)
    first_power = _shift(IN_BITS - headroom - 1, 31 - _ACCUM_BITS) + _QUARTER
    scaled_headroom = 31 - _mul(x, _ROOT_HALF).bit_length()
    second = _shift(x, scaled_headroom)
    second_power = _shift(IN_BITS - scaled_headroom, 31 - _ACCUM_BITS) - _QUARTER
    r, power = min(first, second), max(first_power, second_power)
    p = (r + _ROOT_ROOT_HALF + 1) >> 1
    q = 2 * (r - _ROOT_ROOT_HALF)
    square = _mul(q, q)
    numerator = _mul(q, r) + _mul(_mul(q, square), _ALPHA_N)
    above_one = _mul(p, _ALPHA_I + q + _mul(_ALPHA_D, square)) + _mul(_ALPHA_F, q)
    scaled = int(rounding_divide_by_pot(np.asarray(numerator), _ACCUM_BITS))
    return _shift(_mul(power, _LOG_2) + _mul(scaled, one_over_one_plus_x(above_one)), 1)


def _mul(a: int, b: int) -> int:
    return int(doubling_high_mul(np.asarray(a, np.int64), b))


def _shift(x: int, bits: int) -> int:
    return min(max(x << bits, -(2**31)), 2**31 - 1)
