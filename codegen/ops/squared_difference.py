"""SQUARED_DIFFERENCE: square of the element-wise difference, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from edgec.codegen.binary import BinaryOp, Scale, common_scales, rescaled
from edgec.codegen.quantmath import requantize_double
from edgec.codegen.registry import Io, Node, register
from edgec.pipeline.graph import Array

LEFT_SHIFT = 7
"""Head room of both inputs, so that the square still fits 32 bits."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SquaredDifference(BinaryOp):
    """Square of the difference of two tensors."""

    builtin: ClassVar[str] = "SQUARED_DIFFERENCE"

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read nothing: SquaredDifferenceOptions is empty."""
        return cls(**node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return the scales of a difference, and of its square."""
        return common_scales(io, LEFT_SHIFT, 2)

    def real(self, a: Array, b: Array) -> Array:
        """Subtract and square."""
        return np.asarray(np.square(a - b))

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Subtract at the common scale and square."""
        scales = self.scales(io)
        first, second = rescaled(a, b, scales, LEFT_SHIFT)
        return requantize_double((first - second) ** 2, *scales[2])
