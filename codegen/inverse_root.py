"""1 / sqrt(x) of an integer in fixed point.

Source: TFLite `kernels/internal/common.h`, GetInvSqrtQuantizedMultiplierExp.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.quantmath import doubling_high_mul, rounding_divide_by_pot

_ONE = 1 << 28
_HALF_ROOT_2 = 1518500250
_INT32_MAX = (1 << 31) - 1


def inverse_root(value: int) -> tuple[int, int]:
    """Return (multiplier, shift) with 1 / sqrt(value) = multiplier * 2**(shift - 31).

    The shift is 0 or negative. `value` is at least 0; 0 counts as 1.
    """
    if value <= 1:
        return _INT32_MAX, 0
    right = 11
    while value >= 1 << 29:
        value //= 4
        right += 1
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    right -= pairs
    root = _mul(_newton((value << (2 * pairs)) >> 1), _HALF_ROOT_2)
    if right < 0:
        root <<= -right
        right = 0
    return root, -right


def _newton(x: int) -> int:
    """Return 1 / sqrt(x) of a number in Q3.28, by five steps that start from 1."""
    half = int(rounding_divide_by_pot(np.asarray(x, np.int64), 1))
    root = _ONE
    for _ in range(5):
        cube = _saturate(_mul(_mul(root, root), root) << 6)
        root = _saturate((_mul(_ONE + (_ONE >> 1), root) - _mul(half, cube)) << 3)
    return root


def _mul(a: int, b: int) -> int:
    return int(doubling_high_mul(np.asarray(a, np.int64), b))


def _saturate(x: int) -> int:
    return min(max(x, -_INT32_MAX - 1), _INT32_MAX)
