"""SPLIT: a tensor cut into equal parts along one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def outputs_like_value(op: KernelOp, io: Io) -> bool:
    """Input and outputs have the same type."""
    return all(t.dtype is io.input(1).dtype for t in io.outputs)


def parts_are_equal(op: Split, io: Io) -> bool:
    """The parts divide the input's size along the axis."""
    return io.input(1).shape[op.axis] % len(io.outputs) == 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Split(KernelOp):
    """As many parts as there are outputs."""

    builtin: ClassVar[str] = "SPLIT"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        outputs_like_value,
        parts_are_equal,
        moves.at_most_eight_dimensions,
    )

    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the axis, constant input 0; SplitOptions only repeats the number of outputs."""
        axis = axes.integer(node, 0, "the axis")
        return cls(axis=axes.axis(axis, len(node.input(1).shape)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the shape of one part, for each."""
        shape, axis, count = io.input(1).shape, self.axis, len(io.outputs)
        return ((*shape[:axis], shape[axis] // count, *shape[axis + 1 :]),) * count

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Cut."""
        return tuple(np.split(np.asarray(inputs[1]), len(io.outputs), self.axis))

    def lower(self, io: Io) -> Step:
        """Return one move an output."""
        sizes = [t.shape[self.axis] for t in io.outputs]
        return moves.apart(io, 1, sizes, self.axis)
