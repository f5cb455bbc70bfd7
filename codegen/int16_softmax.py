"""Softmax of int16: exponentials and the reciprocal of their sum are interpolated from tables.

Source: TFLite `kernels/activations.cc`, SoftmaxPrepare, and `reference/softmax.h`, SoftmaxInt16.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from edgec.codegen.int16_functions import interpolate, interpolated
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.registry import Const, Io, Step, Value
from edgec.codegen.unary import in_double
from edgec.pipeline.graph import Array

_RANGE = 65535


@cache
def _tables() -> tuple[Array, Array]:
    """Return exp over -10 .. 0 and 1 / (1 + x) over 0 .. 1, both in steps of 2 / 65535."""
    one = np.float32(1.0)
    exps = interpolated((10.0 / _RANGE, 32767), (2.0 / _RANGE, 0), lambda x: in_double(np.exp, x))
    inverse = interpolated(
        (1.0 / _RANGE, -32768), (2.0 / _RANGE, 0), lambda x: np.asarray(one / (one + x))
    )
    return exps, inverse


def scale(beta: float, io: Io) -> tuple[int, int]:
    """Return (multiplier, shift) that bring differences to 1/65535 of 10."""
    product = np.float32(io.x.q.scale) * np.float32(beta)
    return quantize_multiplier(float(product) / (10.0 / 65535.0))


def reference(x: Array, beta: float, io: Io) -> Array:
    """Normalise rows of int16, shape (rows, depth)."""
    exp_table, inverse_table = _tables()
    wide = x.astype(np.int64)
    steps = requantize_double(wide - wide.max(axis=1, keepdims=True), *scale(beta, io))
    exps = interpolate(exp_table, np.clip(steps + 32767, -32768, 32767)).astype(np.int64)
    out = np.empty_like(x)
    for row, total in enumerate(exps.sum(axis=1).tolist()):
        zeros = 32 - total.bit_length()
        shifted = ((total << (zeros - 1)) + (1 << 13)) >> 14
        at = np.clip(np.array([shifted - (1 << 15) - (1 << 16)]), -32768, 32767)
        factor = int(interpolate(inverse_table, at)[0])
        shift = 31 - zeros
        out[row] = np.clip((exps[row] * factor + (1 << (shift - 1))) >> shift, 0, 32767)
    return out


def step(shape: Mapping[str, int], beta: float, io: Io) -> Step:
    """Return the kernel's call; `shape` are the fields rows and depth."""
    exp_table, inverse_table = _tables()
    multiplier, shift = scale(beta, io)
    fields: dict[str, Value] = {
        "exp": Const(exp_table, "(513)"),
        "reciprocal": Const(inverse_table, "(513)"),
        **shape,
        "multiplier": multiplier,
        "shift": shift,
    }
    return Step("edgec_softmax_int16", fields)
