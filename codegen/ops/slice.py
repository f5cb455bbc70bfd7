"""SLICE: a box cut out of a tensor."""

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
class Slice(KernelOp):
    """The elements `begin` to `begin + size` of every dimension."""

    builtin: ClassVar[str] = "SLICE"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(3),
        moves.same_type,
        moves.at_most_eight_dimensions,
    )

    begin: tuple[int, ...]
    size: tuple[int, ...]

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read begin and size, both constant; size -1 means up to the end."""
        shape = node.input(0).shape
        begin = axes.integers(node, 1, "begin", len(shape))
        asked = axes.integers(node, 2, "size", len(shape))
        size = tuple(n - b if s == -1 else s for n, b, s in zip(shape, begin, asked, strict=True))
        for n, b, s in zip(shape, begin, size, strict=True):
            if b < 0 or s < 1 or b + s > n:
                raise UnsupportedModelError(f"{s} elements from {b} of a dimension of {n}")
        return cls(begin=begin, size=size, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the size."""
        return (self.size,)

    @property
    def box(self) -> tuple[slice, ...]:
        """The slices of all dimensions."""
        return tuple(slice(b, b + s) for b, s in zip(self.begin, self.size, strict=True))

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Cut."""
        return (np.asarray(inputs[0])[self.box],)

    def lower(self, io: Io) -> Step:
        """Return one move."""
        return moves.step(io, [moves.Move(moves.layout(io.x)[self.box], moves.layout(io.y))])
