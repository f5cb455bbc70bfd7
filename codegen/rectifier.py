"""The ReLU family: a rescaling and a clamp."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.int16_functions import Rescaled, WideFunction
from edgec.codegen.quantmath import quantize_multiplier, requantize_double, round_half_away
from edgec.codegen.registry import Io, Value
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array, Tensor


def float32_ratio(numerator: float, denominator: float) -> float:
    """Return a quotient rounded to float32, as the source divides scales here; never infinite."""
    with np.errstate(over="ignore"):
        return float(np.nan_to_num(np.float32(numerator) / np.float32(denominator)))


class Rectifier(Unary):
    """A clamp to the real interval `low` .. `high`."""

    __slots__ = ()

    kernel: ClassVar[str] = "edgec_relu_float32"
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = math.inf

    def real(self, x: Array) -> Array:
        """Clamp."""
        return np.clip(x, np.float32(self.low), np.float32(self.high))

    def table(self, io: Io) -> Array:
        """Rescale in fixed point, then clamp; TFLite kernels/activations.cc, QuantizedReluX."""
        multiplier = quantize_multiplier(float32_ratio(io.x.q.scale, io.y.q.scale))
        centred = lookup.codes(io.x) - io.x.q.zero_point
        scaled = requantize_double(centred, *multiplier) + io.y.q.zero_point
        return lookup.saturate(np.clip(scaled, *self._bounds(io.y)), io.y)

    def wide(self, io: Io) -> WideFunction:
        """Rescale in fixed point, then clamp, as for int8."""
        scale = quantize_multiplier(float32_ratio(io.x.q.scale, io.y.q.scale))
        return Rescaled(scale, scale, self._bounds(io.y))

    def _bounds(self, y: Tensor) -> tuple[int, int]:
        least, most = y.dtype.range
        first = max(least, _quantised(self.low, y))
        return first, most if math.isinf(self.high) else min(most, _quantised(self.high, y))

    @property
    def fields(self) -> dict[str, Value]:
        """The clamp as finite float32 numbers."""
        limit = float(np.finfo(np.float32).max)
        return {"out_min": self.low, "out_max": min(self.high, limit)}


def _quantised(real: float, y: Tensor) -> int:
    return y.q.zero_point + round_half_away(float32_ratio(real, y.q.scale))
