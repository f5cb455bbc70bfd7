"""What ARG_MAX and ARG_MIN share: where along an axis the extreme element is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes
from edgec.codegen.constraints import inputs, rank
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step
from edgec.pipeline.graph import Array, DType


def input_type(op: KernelOp, io: Io) -> bool:
    """The input is int8 or float32."""
    return io.x.dtype in (DType.INT8, DType.FLOAT32)


def index_type(op: KernelOp, io: Io) -> bool:
    """The output is int32 or int64."""
    return io.y.dtype in (DType.INT32, DType.INT64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgExtreme(KernelOp):
    """Index of the first element that no other exceeds in the op's direction."""

    constraints: ClassVar[tuple[Any, ...]] = (inputs(2), rank(1, 8), input_type, index_type)
    largest: ClassVar[bool]

    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the axis, which must be constant; the output's type says what the option does."""
        axis = axes.integer(node, 1, "the axis")
        return cls(axis=axes.axis(axis, len(node.input(0).shape)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape without the axis."""
        return (io.x.shape[: self.axis] + io.x.shape[self.axis + 1 :],)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Find the first extreme element."""
        x = np.asarray(inputs[0])
        found = x.argmax(self.axis) if self.largest else x.argmin(self.axis)
        return (np.asarray(found, io.y.dtype.numpy),)

    def lower(self, io: Io) -> Step:
        """Return the kernel of the input's type."""
        return Step(
            f"edgec_arg_extreme_{io.x.dtype.value}",
            {
                "outer": math.prod(io.x.shape[: self.axis]),
                "size": io.x.shape[self.axis],
                "inner": math.prod(io.x.shape[self.axis + 1 :]),
                "largest": int(self.largest),
                "wide": int(io.y.dtype is DType.INT64),
            },
        )
