"""TANH: hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen.int16_functions import Sigmoid, WideFunction, steps_fit, unit_steps
from edgec.codegen.registry import Io, KernelOp, register
from edgec.codegen.sigmoid import tanh_table
from edgec.codegen.unary import WIDE_LIMITS, Unary, in_double
from edgec.pipeline.graph import Array, DType, Rounding


def output_is_signed_unit_range(op: KernelOp, io: Io) -> bool:
    """int8 outputs have scale 1/128 and zero point 0 under the rounding profile tflm."""
    if io.y.dtype is not DType.INT8 or op.rounding is not Rounding.TFLM:
        return True
    return (io.y.q.scale, io.y.q.zero_point) == (1 / 128, 0)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Tanh(Unary):
    """Hyperbolic tangent of each element."""

    builtin: ClassVar[str] = "TANH"
    constraints: ClassVar[tuple[Any, ...]] = (
        *WIDE_LIMITS,
        steps_fit,
        unit_steps,
        output_is_signed_unit_range,
    )
    kernel: ClassVar[str] = "edgec_tanh_float32"

    def real(self, x: Array) -> Array:
        """Round once."""
        return in_double(np.tanh, x)

    def wide(self, io: Io) -> WideFunction:
        """Look the magnitude up and interpolate."""
        return Sigmoid.of(io.x, is_tanh=True)

    def table(self, io: Io) -> Array:
        """Go through float32, or through the fixed point of TFLite Micro."""
        if self.rounding is Rounding.TFLM:
            return tanh_table(io.x, io.y)
        return super(Tanh, self).table(io)
