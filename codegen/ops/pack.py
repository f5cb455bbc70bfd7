"""PACK: tensors of one shape stacked along a new dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def same_shapes(op: KernelOp, io: Io) -> bool:
    """All inputs have the same shape."""
    return all(t.shape == io.x.shape for t in io.present)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Pack(KernelOp):
    """Stacks any number of inputs."""

    builtin: ClassVar[str] = "PACK"
    constraints: ClassVar[tuple[Any, ...]] = (
        moves.all_present,
        moves.inputs_like_output,
        same_shapes,
        moves.at_most_eight_dimensions,
    )

    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read PackOptions: 0 values_count, which the inputs say too, 1 axis."""
        axis = axes.axis(node.options.int32(1), len(node.input(0).shape) + 1)
        return cls(axis=axis, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the inputs' shape with their number put in."""
        return ((*io.x.shape[: self.axis], len(io.inputs), *io.x.shape[self.axis :]),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Stack."""
        return (np.stack([np.asarray(x) for x in inputs], axis=self.axis),)

    def lower(self, io: Io) -> Step:
        """Return one move an input."""
        onto = np.moveaxis(moves.layout(io.y), self.axis, 0)
        return moves.step(
            io,
            [moves.Move(moves.layout(t), onto[i, ...], source=i) for i, t in enumerate(io.present)],
            inputs=range(len(io.inputs)),
        )
