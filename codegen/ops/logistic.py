"""LOGISTIC: 1 / (1 + exp(-x))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen.registry import Io, KernelOp, register
from edgec.codegen.unary import Unary, in_double
from edgec.pipeline.graph import Array, DType


def output_is_unit_range(op: KernelOp, io: Io) -> bool:
    """int8 outputs have scale 1/256."""
    return io.y.dtype is DType.FLOAT32 or io.y.q.scale == 1 / 256


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic(Unary):
    """Sigmoid of each element."""

    builtin: ClassVar[str] = "LOGISTIC"
    constraints: ClassVar[tuple[Any, ...]] = (*Unary.constraints, output_is_unit_range)
    kernel: ClassVar[str] = "edgec_logistic_float32"

    def real(self, x: Array) -> Array:
        """Divide in float32."""
        one = np.float32(1.0)
        return one / (one + in_double(np.exp, -x))
