"""PRELU: negative elements times a learned slope, broadcast to the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.binary import LIMITS, UNSCALED, BinaryOp, Scale, product_precision, scale_of
from edgec.codegen.quantmath import requantize_double
from edgec.codegen.registry import Io, KernelOp, Node, Shape, register
from edgec.pipeline.graph import Array


def slope_broadcasts(op: KernelOp, io: Io) -> bool:
    """The slope broadcasts to the input's shape."""
    try:
        return np.broadcast_shapes(io.x.shape, io.input(1).shape) == io.x.shape
    except ValueError:
        return False


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Prelu(BinaryOp):
    """Leaky rectifier with a slope for each element, channel or tensor."""

    builtin: ClassVar[str] = "PRELU"
    constraints: ClassVar[tuple[Any, ...]] = (*LIMITS, slope_broadcasts)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read nothing: there are no options."""
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return the scales of positive and of negative elements; TFLite PreluPrepare."""
        precision = product_precision(self.rounding)
        positive = scale_of(io, precision, lambda x, slope, y: x / y)
        return positive, scale_of(io, precision, lambda x, slope, y: x * slope / y), UNSCALED

    def real(self, a: Array, b: Array) -> Array:
        """Scale the negative elements."""
        return np.where(a >= 0, a, a * b)

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Rescale by sign."""
        positive, negative, _ = self.scales(io)
        scaled = requantize_double(a * b, *negative)
        return np.where(a >= 0, requantize_double(a, *positive), scaled)
