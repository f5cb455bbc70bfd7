"""PAD: zeros round a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves, padding
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Pad(KernelOp):
    """Quantised tensors are padded with the output's zero point."""

    builtin: ClassVar[str] = "PAD"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        moves.same_type,
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
        return (np.pad(np.asarray(inputs[0]), self.paddings, constant_values=moves.real_zero(io)),)

    def lower(self, io: Io) -> Step:
        """Fill the whole output, then move the input into its middle."""
        out = moves.layout(io.y)
        into = out[padding.interior(io.x.shape, self.paddings)]
        inside = moves.Move(moves.layout(io.x), into)
        if io.x.size == io.y.size:
            return moves.step(io, [inside])
        return moves.step(io, [moves.fill(out), inside], fill_value=moves.real_zero(io))
