"""LOGISTIC: 1 / (1 + exp(-x))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen import float_vectors
from edgec.codegen.int16_functions import Sigmoid, WideFunction, steps_fit, unit_steps
from edgec.codegen.registry import Io, KernelOp, Step, register
from edgec.codegen.sigmoid import logistic_table
from edgec.codegen.unary import WIDE_LIMITS, Unary, in_double
from edgec.pipeline.graph import Array, DType, Rounding


def output_is_unit_range(op: KernelOp, io: Io) -> bool:
    """int8 outputs have scale 1/256; under the rounding profile tflm also zero point -128."""
    if io.y.dtype is not DType.INT8:
        return True
    zero_fits = io.y.q.zero_point == -128 or op.rounding is not Rounding.TFLM
    return io.y.q.scale == 1 / 256 and zero_fits


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic(Unary):
    """Sigmoid of each element."""

    builtin: ClassVar[str] = "LOGISTIC"
    constraints: ClassVar[tuple[Any, ...]] = (
        *WIDE_LIMITS,
        steps_fit,
        unit_steps,
        output_is_unit_range,
    )
    kernel: ClassVar[str] = "edgec_logistic_float32"

    def real(self, x: Array) -> Array:
        """Divide in float32."""
        one = np.float32(1.0)
        return one / (one + in_double(np.exp, -x))

    def wide(self, io: Io) -> WideFunction:
        """Look the magnitude up and interpolate."""
        return Sigmoid.of(io.x, is_tanh=False)

    def table(self, io: Io) -> Array:
        """Go through float32, or through the fixed point of TFLite Micro."""
        if self.rounding is Rounding.TFLM:
            return logistic_table(io.x, io.y)
        return super(Logistic, self).table(io)

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the float32 kernel for vector units."""
        return float_vectors.element_variants(io, features, self.lower(io))
