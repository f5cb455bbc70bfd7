"""MUL: element-wise product, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from edgec.codegen.binary import (
    UNSCALED,
    WIDE_LIMITS,
    BinaryOp,
    Scale,
    product_precision,
    scale_of,
)
from edgec.codegen.quantmath import requantize_double
from edgec.codegen.registry import Io, Node, register
from edgec.pipeline.graph import Activation, Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Mul(BinaryOp):
    """Product of two tensors."""

    builtin: ClassVar[str] = "MUL"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read MulOptions: 0 activation."""
        return cls(activation=Activation(node.options.int8(0)), **node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return one scale, that of the product; TFLite kernels/mul.cc, Prepare."""
        precision = product_precision(self.rounding)
        return UNSCALED, UNSCALED, scale_of(io, precision, lambda x1, x2, y: x1 * x2 / y)

    def real(self, a: Array, b: Array) -> Array:
        """Multiply."""
        return a * b

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Multiply, then rescale."""
        return requantize_double(a * b, *self.scales(io)[2])
