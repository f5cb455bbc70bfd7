"""BATCH_TO_SPACE_ND: batches put together to space by position within a block, then cropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import blocks, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.padding import Paddings
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def blocks_fit(op: BatchToSpaceNd, io: Io) -> bool:
    """The block divides the batches."""
    return io.x.shape[0] % int(np.prod(op.block, dtype=object)) == 0


def something_is_left(op: BatchToSpaceNd, io: Io) -> bool:
    """The crops leave something."""
    sides = zip(io.x.shape[1:], op.block, op.crops, strict=False)
    return all(n * b > before + after for n, b, (before, after) in sides)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchToSpaceNd(KernelOp):
    """The opposite of SPACE_TO_BATCH_ND."""

    builtin: ClassVar[str] = "BATCH_TO_SPACE_ND"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(3),
        moves.same_type,
        blocks_fit,
        something_is_left,
    )

    block: blocks.Block
    crops: Paddings

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read block shape and crops, both constant."""
        block, crops = blocks.read(node, "crops")
        return cls(block=block, crops=crops, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch / block, height * block - crops, width * block - crops, channels)."""
        dims = len(self.block)
        sides = zip(io.x.shape[1 : dims + 1], self.block, self.crops, strict=True)
        left = (n * b - before - after for n, b, (before, after) in sides)
        batch = io.x.shape[0] // int(np.prod(self.block, dtype=object))
        return ((batch, *left, *io.x.shape[dims + 1 :]),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Put together, then crop."""
        space = blocks.together(np.asarray(inputs[0]), self.block)
        sides = zip(space.shape[1:], self.crops, strict=False)
        box = (slice(before, n - after) for n, (before, after) in sides)
        return (space[(slice(None), *box)],)

    def lower(self, io: Io) -> Step:
        """Return a move per position within the block."""
        before = tuple(b for b, _ in self.crops)
        pairs = blocks.phases(moves.layout(io.y), moves.layout(io.x), self.block, before)
        return moves.step(io, [moves.Move(batches, space) for space, batches in pairs])
