"""DEPTH_TO_SPACE: channels spread out into blocks of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves
from edgec.codegen.constraints import four_dimensions, inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


def blocks_fit(op: DepthToSpace, io: Io) -> bool:
    """block² divides the channels."""
    return io.x.shape[-1:] != () and io.x.shape[-1] % op.block**2 == 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DepthToSpace(KernelOp):
    """Every pixel becomes block x block pixels of block² times fewer channels."""

    builtin: ClassVar[str] = "DEPTH_TO_SPACE"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        four_dimensions,
        moves.same_type,
        blocks_fit,
    )

    block: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read DepthToSpaceOptions: 0 block size."""
        block = node.options.int32(0)
        if not 1 <= block <= 32767:
            raise UnsupportedModelError(f"block size {block} is out of range")
        return cls(block=block, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, height * block, width * block, channels / block²)."""
        batch, high, wide, channels = io.x.shape
        return ((batch, high * self.block, wide * self.block, channels // self.block**2),)

    def _pixels(self, x: Array) -> Array:
        """Return the input as (batch, h, block, w, block, channels)."""
        batch, high, wide, channels = x.shape
        parts = x.reshape(batch, high, wide, self.block, self.block, channels // self.block**2)
        return parts.transpose(0, 1, 3, 2, 4, 5)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Spread."""
        return (self._pixels(np.asarray(inputs[0])).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return one move."""
        source = self._pixels(moves.layout(io.x))
        return moves.step(io, [moves.Move(source, moves.layout(io.y).reshape(source.shape))])
