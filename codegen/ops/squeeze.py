"""SQUEEZE: dimensions of size 1 removed."""

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
class Squeeze(KernelOp):
    """A view: it takes no time and no memory."""

    builtin: ClassVar[str] = "SQUEEZE"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), moves.same_type)

    removed: tuple[int, ...]

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read SqueezeOptions: 0 squeeze_dims, where none means all of size 1."""
        shape = node.input(0).shape
        asked = {axes.axis(i, len(shape)) for i in node.options.int32s(0)}
        removed = asked or {i for i, n in enumerate(shape) if n == 1}
        if any(shape[i] != 1 for i in removed):
            raise UnsupportedModelError(
                f"dimensions {sorted(removed)} of shape {list(shape)} are not all of size 1"
            )
        return cls(removed=tuple(sorted(removed)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the dimensions that are left."""
        return (tuple(n for i, n in enumerate(io.x.shape) if i not in self.removed),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Squeeze."""
        return (np.asarray(inputs[0]).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return a view."""
        source = moves.layout(io.x).reshape(io.y.shape)
        return moves.step(io, [moves.Move(source, moves.layout(io.y))])
