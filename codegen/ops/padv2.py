"""PADV2: a given value round a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves, padding
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def one_value(op: KernelOp, io: Io) -> bool:
    """The value is one element of the input's type."""
    value = io.input(2)
    return value.size == 1 and value.dtype is io.x.dtype


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class PadV2(KernelOp):
    """The value may be constant or computed."""

    builtin: ClassVar[str] = "PADV2"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(3),
        moves.same_type,
        one_value,
        moves.at_most_eight_dimensions,
    )

    paddings: padding.Paddings

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the paddings, which must be constant."""
        return cls(paddings=padding.read(node), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape with the paddings added."""
        return (padding.padded(io.x.shape, self.paddings),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Pad."""
        value = np.asarray(inputs[2]).reshape(())
        return (np.pad(np.asarray(inputs[0]), self.paddings, constant_values=value),)

    def lower(self, io: Io) -> Step:
        """Fill the whole output, then move the input into its middle."""
        out = moves.layout(io.y)
        value = np.broadcast_to(moves.layout(io.input(2)).reshape(()), out.shape)
        into = out[padding.interior(io.x.shape, self.paddings)]
        whole, inside = moves.Move(value, out, source=1), moves.Move(moves.layout(io.x), into)
        return moves.step(io, [whole, inside], inputs=(0, 2))
