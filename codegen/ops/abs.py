"""ABS: magnitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.int16_functions import Rescaled, WideFunction
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.rectifier import float32_ratio
from edgec.codegen.registry import Io, register
from edgec.codegen.unary import WIDE_LIMITS, Unary
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Abs(Unary):
    """Absolute value of each element."""

    builtin: ClassVar[str] = "ABS"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS
    kernel: ClassVar[str] = "edgec_abs_float32"

    def real(self, x: Array) -> Array:
        """Drop the sign."""
        return np.abs(x)

    def wide(self, io: Io) -> WideFunction:
        """Rescale unless the scales agree, as for int8."""
        scale = (1 << 30, 1)
        if io.x.q.scale != io.y.q.scale:
            scale = quantize_multiplier(float32_ratio(io.x.q.scale, io.y.q.scale))
        return Rescaled(scale, (-scale[0], scale[1]), io.y.dtype.range)

    def table(self, io: Io) -> Array:
        """Rescale unless the scales agree; TFLite kernels/elementwise.cc, AbsEvalQuantized."""
        size = np.abs(lookup.codes(io.x) - io.x.q.zero_point)
        if io.x.q.scale != io.y.q.scale:
            ratio = float32_ratio(io.x.q.scale, io.y.q.scale)
            size = requantize_double(size, *quantize_multiplier(ratio))
        return lookup.saturate(size + io.y.q.zero_point, io.y)
