"""SPLIT_V: a tensor cut into parts of given sizes along one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SplitV(KernelOp):
    """One part of each of `sizes`."""

    builtin: ClassVar[str] = "SPLIT_V"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(3),
        moves.same_type,
        moves.at_most_eight_dimensions,
    )

    sizes: tuple[int, ...]
    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read sizes and axis, both constant; one size may be -1, the rest."""
        shape = node.input(0).shape
        axis = axes.axis(axes.integer(node, 2, "the axis"), len(shape))
        asked = axes.integers(node, 1, "the list of sizes", len(node.outputs))
        rest = shape[axis] - sum(s for s in asked if s != -1)
        sizes = tuple(rest if s == -1 else s for s in asked)
        if asked.count(-1) > 1 or min(sizes) < 1 or sum(sizes) != shape[axis]:
            raise UnsupportedModelError(f"{shape[axis]} elements cut into {list(asked)}")
        return cls(sizes=sizes, axis=axis, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the shape of each part."""
        shape, axis = io.x.shape, self.axis
        return tuple((*shape[:axis], size, *shape[axis + 1 :]) for size in self.sizes)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Cut."""
        cuts = np.cumsum(self.sizes)[:-1]
        return tuple(np.split(np.asarray(inputs[0]), cuts, self.axis))

    def lower(self, io: Io) -> Step:
        """Return one move an output."""
        return moves.apart(io, 0, self.sizes, self.axis)
