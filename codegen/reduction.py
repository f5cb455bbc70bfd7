"""Sums, means and extremes over some of a tensor's axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from edgec.codegen.constraints import constant, inputs, integers_or_float32, rank, symmetric_int16
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Value
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import DType

LOOPS = 4
"""Loops over kept and over reduced axes: as many as eight dimensions can alternate."""


def sum_fits(op: Reduction, io: Io) -> bool:
    """Fewer than 2**23 elements are reduced to one, of int16 fewer than 2**15."""
    return op.count(io) < (1 << 15 if io.x.dtype is DType.INT16 else 1 << 23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction(KernelOp):
    """A reduction over `axes`, which are in range, sorted and without repetition."""

    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        constant(1, "the tensor of axes"),
        integers_or_float32,
        symmetric_int16,
        rank(0, 2 * LOOPS),
        sum_fits,
    )

    axes: tuple[int, ...]
    keep_dims: bool

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read ReducerOptions: 0 keep_dims; the axes are the constant second input."""
        values = node.constant(1)
        if node.input(1).dtype is not DType.INT32:
            raise UnsupportedModelError(f"axes are {node.input(1).dtype.value}, int32 wanted")
        dims = len(node.input(0).shape)
        axes = {int(a) + dims if a < 0 else int(a) for a in values.reshape(-1)} if dims else set()
        if not all(0 <= a < dims for a in axes):
            raise UnsupportedModelError(f"axes {values.reshape(-1).tolist()} of {dims} dimensions")
        return cls(axes=tuple(sorted(axes)), keep_dims=node.options.boolean(0), **node.ends)

    def count(self, io: Io) -> int:
        """Return how many elements are reduced to one."""
        return math.prod(io.x.shape[a] for a in self.axes)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape with the axes left out, or with size 1."""
        if self.keep_dims:
            return (tuple(1 if a in self.axes else n for a, n in enumerate(io.x.shape)),)
        return (tuple(n for a, n in enumerate(io.x.shape) if a not in self.axes),)

    def loops(self, io: Io) -> dict[str, Value]:
        """Return the fields of `edgec_reduction`; neighbouring axes of one kind are merged."""
        merged: list[tuple[bool, int, int]] = []
        step = 1
        for axis in reversed(range(len(io.x.shape))):
            size = io.x.shape[axis]
            if size == 1:
                continue
            reduced = axis in self.axes
            if merged and merged[0][0] is reduced:
                merged[0] = (reduced, merged[0][1] * size, merged[0][2])
            else:
                merged.insert(0, (reduced, size, step))
            step *= size
        fields: dict[str, Value] = {}
        for name, wanted in (("kept", False), ("reduced", True)):
            rows = [(size, by) for reduced, size, by in merged if reduced is wanted]
            rows = [(1, 0)] * (LOOPS - len(rows)) + rows
            fields[f"loops.{name}_size"] = tuple(r[0] for r in rows)
            fields[f"loops.{name}_step"] = tuple(r[1] for r in rows)
        return fields
