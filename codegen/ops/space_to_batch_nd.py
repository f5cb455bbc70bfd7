"""SPACE_TO_BATCH_ND: padded space taken apart into batches by position within a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import blocks, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.padding import Paddings, padded
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def blocks_fit(op: SpaceToBatchNd, io: Io) -> bool:
    """The block divides the padded sides."""
    sides = padded(io.x.shape[1 : len(op.block) + 1], op.paddings)
    return all(n % b == 0 for n, b in zip(sides, op.block, strict=True))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceToBatchNd(KernelOp):
    """Quantised tensors are padded with the output's zero point."""

    builtin: ClassVar[str] = "SPACE_TO_BATCH_ND"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(3),
        moves.same_type,
        blocks_fit,
    )

    block: blocks.Block
    paddings: Paddings

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read block shape and paddings, both constant."""
        block, paddings = blocks.read(node, "paddings")
        return cls(block=block, paddings=paddings, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch * block, height / block, width / block, channels)."""
        dims = len(self.block)
        batch = io.x.shape[0] * int(np.prod(self.block, dtype=object))
        sides = padded(io.x.shape[1 : dims + 1], self.paddings)
        cut = (n // b for n, b in zip(sides, self.block, strict=True))
        return ((batch, *cut, *io.x.shape[dims + 1 :]),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Pad, then take apart."""
        amounts = ((0, 0), *self.paddings, (0, 0))
        space = np.pad(np.asarray(inputs[0]), amounts, constant_values=moves.real_zero(io))
        return (blocks.apart(space, self.block).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return a move per position within the block, after a fill where there is padding."""
        out = moves.layout(io.y)
        before = tuple(b for b, _ in self.paddings)
        pairs = blocks.phases(moves.layout(io.x), out, self.block, before)
        parts = [moves.Move(space, batches) for space, batches in pairs]
        if io.x.size == io.y.size:
            return moves.step(io, parts)
        return moves.step(io, [moves.fill(out), *parts], fill_value=moves.real_zero(io))
