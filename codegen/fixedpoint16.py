"""gemmlowp's logistic and tanh on 16-bit fixed point, as int64 arrays.

Source: gemmlowp `fixedpoint/fixedpoint.h` for int16. `edgec_fixedpoint16.h` is the same in C.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.quantmath import rounding_divide_by_pot
from edgec.pipeline.graph import Array

_MAX = (1 << 15) - 1
_EXP_STEPS = ((-2, 25520), (-1, 19875), (0, 12055), (1, 4435), (2, 600), (3, 11))
"""exp(-2**e) in Q0.15 for each exponent e; beyond, it is zero at e = 4."""


def logistic(a: Array, integer_bits: int) -> Array:
    """Return 1 / (1 + exp(-a)) in Q0.15 for a in Q`integer_bits`."""
    a = np.asarray(a, np.int64)
    positive = _saturating_shift(_newton(_exp(-np.abs(a), integer_bits)), 1)
    return np.where(a == 0, 1 << 14, np.where(a > 0, positive, _MAX - positive))


def tanh(a: Array, integer_bits: int) -> Array:
    """Return tanh(a) in Q0.15 for a in Q`integer_bits`."""
    a = np.asarray(a, np.int64)
    inverse = _newton(_exp(-np.abs(a), integer_bits + 1))
    size = _saturating_shift(inverse - (1 << 13), 2)
    return np.sign(a) * size


def _mul(a: Array, b: Array | int) -> Array:
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.asarray(np.minimum((product + (1 << 14)) >> 15, _MAX))


def _saturating_shift(x: Array, bits: int) -> Array:
    limit = (1 << (15 - bits)) - 1
    return np.where(x > limit, _MAX, np.where(x < -limit, -_MAX - 1, x << bits))


def _exp(a: Array, integer_bits: int) -> Array:
    """Return exp(a) in Q0.15 for a <= 0."""
    fraction = 15 - integer_bits
    quarter = 1 << (fraction - 2)
    part = (a & (quarter - 1)) - quarter
    x = (part << integer_bits) + (1 << 12)
    x2 = _mul(x, x)
    x3 = _mul(x2, x)
    x4_over_4 = rounding_divide_by_pot(_mul(x2, x2), 2)
    tail = rounding_divide_by_pot(_mul(x4_over_4 + x3, 10923) + x2, 1)
    result = np.minimum(28918 + _mul(x + tail, 28918), _MAX)
    remainder = part - a
    for exponent, factor in (*_EXP_STEPS, (4, 0)):
        if integer_bits > exponent:
            bit = np.int64(1) << (fraction + exponent)
            result = np.where(remainder & bit, _mul(result, factor), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (20 - integer_bits)), 0, result)
    return np.where(a == 0, _MAX, result)


def _newton(a: Array) -> Array:
    """Return 2 / (1 + a) in Q2.13 for 0 <= a < 1 in Q0.15, by three Newton-Raphson steps."""
    half = (a + _MAX + 1) >> 1
    x = 23130 + _mul(half, -15420)
    for _ in range(3):
        error = (1 << 13) - _mul(half, x)
        x = x + _saturating_shift(_mul(x, error), 2)
    return x
