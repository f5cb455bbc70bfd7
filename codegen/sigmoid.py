"""Logistic function and tanh of int8 in gemmlowp's fixed point, as TFLite Micro computes them.

Sources: TFLite `reference/integer_ops/logistic.h` and `tanh.h`, gemmlowp `fixedpoint.h`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.fixedpoint import (
    exp_on_negative_values,
    one_minus_x_over_one_plus_x,
    one_over_one_plus_x,
)
from edgec.codegen.quantmath import (
    quantize_multiplier,
    requantize_double,
    rounding_divide_by_pot,
)
from edgec.pipeline.graph import Array, Tensor

INPUT_INTEGER_BITS = 4
_ONE = (1 << 31) - 1


def logistic_table(x: Tensor, y: Tensor) -> Array:
    """Return the table of the logistic function for outputs of scale 1/256, zero point -128."""
    return _table(x, y, _logistic, 8, -128)


def tanh_table(x: Tensor, y: Tensor) -> Array:
    """Return the table of tanh for outputs of scale 1/128, zero point 0."""
    return _table(x, y, _tanh, 7, 0)


def _table(
    x: Tensor, y: Tensor, function: Callable[[int], int], bits: int, zero_point: int
) -> Array:
    fraction = 31 - INPUT_INTEGER_BITS
    multiplier, shift = quantize_multiplier(x.q.scale * (1 << fraction))
    reach = ((1 << INPUT_INTEGER_BITS) - 1) << fraction
    radius = math.floor(reach / 2.0**shift)
    out = np.empty(256, np.int64)
    for byte, value in enumerate((lookup.codes(x) - x.q.zero_point).tolist()):
        if abs(value) >= radius:
            out[byte] = -128 if value <= -radius else 127
            continue
        scaled = int(requantize_double(np.asarray(value), multiplier, shift))
        result = rounding_divide_by_pot(np.asarray(function(scaled)), 31 - bits)
        out[byte] = int(result) + zero_point
    return lookup.saturate(out, y)


def _logistic(a: int) -> int:
    """Return 1 / (1 + exp(-a)) in Q0.31 for a in Q4.27."""
    if a == 0:
        return 1 << 30
    positive = one_over_one_plus_x(_exp(-abs(a), INPUT_INTEGER_BITS))
    return positive if a > 0 else _ONE - positive


def _tanh(a: int) -> int:
    """Return tanh(a) in Q0.31 for a in Q4.27; twice a is the same integer in Q5.26."""
    if a == 0:
        return 0
    size = one_minus_x_over_one_plus_x(_exp(-abs(a), INPUT_INTEGER_BITS + 1))
    return size if a > 0 else -size


def _exp(a: int, integer_bits: int) -> int:
    return int(exp_on_negative_values(np.asarray(a, np.int64), integer_bits))
