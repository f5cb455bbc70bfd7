"""EXPAND_DIMS: one more dimension, of size 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandDims(KernelOp):
    """A view: it takes no time and no memory."""

    builtin: ClassVar[str] = "EXPAND_DIMS"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(2), moves.same_type)

    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the axis, which must be constant; it counts the output's dimensions."""
        axis = axes.axis(axes.integer(node, 1, "the axis"), len(node.input(0).shape) + 1)
        return cls(axis=axis, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape with a 1 put in."""
        return ((*io.x.shape[: self.axis], 1, *io.x.shape[self.axis :]),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Expand."""
        return (np.expand_dims(np.asarray(inputs[0]), self.axis),)

    def lower(self, io: Io) -> Step:
        """Return a view."""
        source = moves.layout(io.x).reshape(io.y.shape)
        return moves.step(io, [moves.Move(source, moves.layout(io.y))])
