"""CAST: another element type for the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType

KINDS = (
    DType.INT8,
    DType.UINT8,
    DType.INT16,
    DType.INT32,
    DType.FLOAT32,
    DType.BOOL,
)
"""The types in the order of `edgec_cast.h`."""


def known_types(op: KernelOp, io: Io) -> bool:
    """Input and output are int8, uint8, int16, int32, float32 or bool."""
    return io.x.dtype in KINDS and io.y.dtype in KINDS


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(KernelOp):
    """Conversion of the stored numbers; quantisation plays no part.

    Integers that do not fit wrap. float32 is truncated and saturates; what is not a number gives
    the largest integer.
    """

    builtin: ClassVar[str] = "CAST"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), known_types)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Ignore CastOptions: the tensors have the types."""
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Convert."""
        x = np.asarray(inputs[0])
        if io.x.dtype is not DType.FLOAT32 or io.y.dtype in (DType.FLOAT32, DType.BOOL):
            return (x.astype(io.y.dtype.numpy),)
        low, high = io.y.dtype.range
        whole = np.where(np.isnan(x), high, np.clip(np.trunc(x.astype(np.float64)), low, high))
        return (whole.astype(io.y.dtype.numpy),)

    def lower(self, io: Io) -> Step:
        """Return the converting kernel, or a view where the types are the same."""
        if io.x.dtype is io.y.dtype:
            return Step(view=True)
        integral = io.y.dtype not in (DType.FLOAT32, DType.BOOL)
        low, high = io.y.dtype.range if integral else (0, 0)
        kinds = {"from": KINDS.index(io.x.dtype), "to": KINDS.index(io.y.dtype)}
        return Step("edgec_cast", {"size": io.x.size, "low": low, "high": high, **kinds})
