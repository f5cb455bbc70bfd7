"""SUB: element-wise difference, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.binary import (
    WIDE_LIMITS,
    BinaryOp,
    Scale,
    common_scales,
    general_scales,
    reads_power_of_two,
    rescaled,
    sum_left_shift,
)
from edgec.codegen.quantmath import requantize_double
from edgec.codegen.registry import Io, Node, register
from edgec.pipeline.graph import Activation, Array, Rounding


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sub(BinaryOp):
    """Difference of two tensors."""

    builtin: ClassVar[str] = "SUB"
    constraints: ClassVar[tuple[Any, ...]] = (*WIDE_LIMITS, general_scales)

    power_of_two: bool = False

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read SubOptions: 0 activation, 1 pot_scale_int16."""
        activation = Activation(node.options.int8(0))
        return cls(activation=activation, power_of_two=reads_power_of_two(node), **node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return the scales of a difference: TFLite computes them in float64, TFLM in float32."""
        precision = np.float64 if self.rounding is Rounding.TFLITE else np.float32
        return common_scales(io, sum_left_shift(io), 1, precision)

    def real(self, a: Array, b: Array) -> Array:
        """Subtract."""
        return a - b

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Subtract at the common scale."""
        scales = self.scales(io)
        first, second = rescaled(a, b, scales, sum_left_shift(io))
        return requantize_double(first - second, *scales[2])
