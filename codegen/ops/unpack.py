"""UNPACK: a tensor taken apart along one dimension, which goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def one_output_each(op: Unpack, io: Io) -> bool:
    """There are as many outputs as the input is long along the axis."""
    return len(io.outputs) == io.x.shape[op.axis]


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Unpack(KernelOp):
    """The opposite of PACK."""

    builtin: ClassVar[str] = "UNPACK"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        moves.same_type,
        one_output_each,
        moves.at_most_eight_dimensions,
    )

    axis: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read UnpackOptions: 0 num, which the outputs say too, 1 axis."""
        return cls(axis=axes.axis(node.options.int32(1), len(node.input(0).shape)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape without the axis, for each output."""
        shape = (*io.x.shape[: self.axis], *io.x.shape[self.axis + 1 :])
        return (shape,) * io.x.shape[self.axis]

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Take apart."""
        return tuple(np.moveaxis(np.asarray(inputs[0]), self.axis, 0))

    def lower(self, io: Io) -> Step:
        """Return one move an output."""
        source = np.moveaxis(moves.layout(io.x), self.axis, 0)
        return moves.step(
            io,
            [
                moves.Move(source[i, ...], moves.layout(t), target=i)
                for i, t in enumerate(io.outputs)
            ],
        )
