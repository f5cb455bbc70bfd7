"""DIV: element-wise quotient, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.binary import LIMITS, UNSCALED, BinaryOp, Scale, scale_of
from edgec.codegen.fixedpoint import reciprocal
from edgec.codegen.quantmath import doubling_high_mul, rounding_divide_by_pot
from edgec.codegen.registry import Io, Node, register
from edgec.pipeline.graph import Activation, Array, DType


def quotient_fits(op: Div, io: Io) -> bool:
    """The scale of an int8 quotient, input / (divisor * output), is between 2**6 and 2**22.

    Outside, TFLite shifts by a negative count or by more than 31 bits, which C++ leaves undefined.
    A constant divisor whose elements are near its zero point allows smaller scales.
    """
    if io.x.dtype is DType.FLOAT32:
        return True
    divisor = io.input(1)
    values = np.array(divisor.dtype.range) if divisor.data is None else divisor.data
    widest = int(np.abs(values.astype(np.int64) - divisor.q.zero_point).max())
    return max(widest, 1).bit_length() - 1 <= op.scales(io)[2][1] <= 22


_BITS = np.array([value.bit_length() for value in range(256)])


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Div(BinaryOp):
    """Quotient of two tensors.

    Where an int8 divisor is zero, which the reference interpreter refuses at run time, the result
    is the largest or smallest value, by the sign of the dividend.
    """

    builtin: ClassVar[str] = "DIV"
    constraints: ClassVar[tuple[Any, ...]] = (*LIMITS, quotient_fits)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read DivOptions: 0 activation."""
        return cls(activation=Activation(node.options.int8(0)), **node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return one scale, that of the quotient; TFLite kernels/div.cc, Prepare."""
        return UNSCALED, UNSCALED, scale_of(io, np.float32, lambda x1, x2, y: x1 / (x2 * y))

    def real(self, a: Array, b: Array) -> Array:
        """Divide."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(a / b)

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Multiply by the reciprocal, both with as many bits as fit; TFLite DivElementwise."""
        multiplier, shift = self.scales(io)[2]
        inverse = np.array([reciprocal(max(d, 1), 31) for d in range(256)], np.int64)
        a, b = np.broadcast_arrays(np.where(b < 0, -a, a), np.abs(b))
        headroom = 31 - _BITS[np.abs(a)] + _power_of_two(a)
        quotient = doubling_high_mul(a << headroom, inverse[b, 0])
        right = inverse[b, 1] + headroom - shift
        result = rounding_divide_by_pot(doubling_high_mul(quotient, multiplier), right)
        return np.asarray(np.where(b == 0, np.where(a < 0, -(2**31), 2**31 - 1), result))


def _power_of_two(a: Array) -> Array:
    """Return 1 for negative powers of two, which take one bit less than their absolute value."""
    return np.asarray((a < 0) & ((a & -a) == -a), np.int64)
