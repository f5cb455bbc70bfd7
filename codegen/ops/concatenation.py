"""CONCATENATION: tensors joined along one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


def sides_match(op: Concatenation, io: Io) -> bool:
    """The inputs' shapes differ only along the axis."""
    first = io.x.shape
    return all(
        len(t.shape) == len(first)
        and all(a == b for i, (a, b) in enumerate(zip(t.shape, first, strict=True)) if i != op.axis)
        for t in io.inputs
        if t is not None
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Concatenation(KernelOp):
    """Joins any number of inputs; values move as they are."""

    builtin: ClassVar[str] = "CONCATENATION"
    constraints: ClassVar[tuple[Any, ...]] = (
        moves.all_present,
        moves.inputs_like_output,
        sides_match,
        moves.at_most_eight_dimensions,
    )

    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read ConcatenationOptions: 0 axis, 1 activation, which nothing fuses."""
        if node.options.int8(1) != 0:
            raise UnsupportedModelError("a fused activation is not supported")
        return cls(axis=axes.axis(node.options.int32(0), len(node.input(0).shape)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the first input's shape with the sizes along the axis summed."""
        shape, axis = io.x.shape, self.axis
        total = sum(t.shape[axis] for t in io.present)
        return ((*shape[:axis], total, *shape[axis + 1 :]),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Join."""
        return (np.concatenate([np.asarray(x) for x in inputs], axis=self.axis),)

    def lower(self, io: Io) -> Step:
        """Return one move an input."""
        parts = [t.shape[self.axis] for t in io.present]
        views = moves.split(moves.layout(io.y), parts, self.axis)
        return moves.step(
            io,
            [
                moves.Move(moves.layout(t), view, source=i)
                for i, (t, view) in enumerate(zip(io.present, views, strict=True))
            ],
            inputs=range(len(parts)),
        )
