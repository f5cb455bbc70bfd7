"""SUM: sum over axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen.registry import Io, KernelOp, register
from edgec.codegen.total import Total
from edgec.pipeline.graph import DType, Rounding


def has_an_oracle(op: KernelOp, io: Io) -> bool:
    """Integers need the rounding profile tflm: the pinned LiteRT's reference kernel takes their
    sums for uint8.
    """
    return io.x.dtype is DType.FLOAT32 or op.rounding is Rounding.TFLM


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Total):
    """Sum of the elements along the axes."""

    builtin: ClassVar[str] = "SUM"
    constraints: ClassVar[tuple[Any, ...]] = (*Total.constraints, has_an_oracle)

    def divisor(self, io: Io) -> int:
        """Return 1."""
        return 1
