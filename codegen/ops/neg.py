"""NEG: change of sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen import lookup
from edgec.codegen.constraints import same_quantization
from edgec.codegen.registry import Io, KernelOp, register
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array, DType


def symmetric(op: KernelOp, io: Io) -> bool:
    """int8 tensors have zero point 0: TFLite's kernel negates the integers as they are."""
    return io.x.dtype is DType.FLOAT32 or io.x.q.zero_point == 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Neg(Unary):
    """Minus each element."""

    builtin: ClassVar[str] = "NEG"
    constraints: ClassVar[tuple[Any, ...]] = (*Unary.constraints, same_quantization, symmetric)
    kernel: ClassVar[str] = "edgec_neg_float32"

    def real(self, x: Array) -> Array:
        """Flip the sign."""
        return -x

    def table(self, io: Io) -> Array:
        """Negate the integers; -128 stays, as an 8-bit register has it."""
        return (-lookup.codes(io.x)).astype(io.y.dtype.numpy)
