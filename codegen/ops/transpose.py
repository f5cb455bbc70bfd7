"""TRANSPOSE: dimensions in another order."""

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
class Transpose(KernelOp):
    """Output dimension i is input dimension `order[i]`."""

    builtin: ClassVar[str] = "TRANSPOSE"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        moves.same_type,
        moves.at_most_eight_dimensions,
    )

    order: tuple[int, ...]

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the permutation, which must be constant."""
        dims = len(node.input(0).shape)
        order = axes.integers(node, 1, "the permutation", dims)
        order = tuple(axes.axis(i, dims) for i in order)
        if len(set(order)) != dims:
            raise UnsupportedModelError(f"{list(order)} is not a permutation")
        return cls(order=order, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's dimensions in the new order."""
        return (tuple(io.x.shape[i] for i in self.order),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Transpose."""
        return (np.transpose(np.asarray(inputs[0]), self.order),)

    def lower(self, io: Io) -> Step:
        """Return one move."""
        source = moves.layout(io.x).transpose(self.order)
        return moves.step(io, [moves.Move(source, moves.layout(io.y))])
