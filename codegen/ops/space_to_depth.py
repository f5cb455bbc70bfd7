"""SPACE_TO_DEPTH: blocks of pixels gathered into channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen.pixel_blocks import LIMITS, PixelBlocks
from edgec.codegen.registry import Io, Shape, register
from edgec.pipeline.graph import Array


def blocks_fit(op: SpaceToDepth, io: Io) -> bool:
    """The block size divides height and width."""
    return all(n % op.block == 0 for n in io.x.shape[1:3])


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceToDepth(PixelBlocks):
    """Every block x block pixels become one pixel of block² times more channels."""

    builtin: ClassVar[str] = "SPACE_TO_DEPTH"
    constraints: ClassVar[tuple[Any, ...]] = (*LIMITS, blocks_fit)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, height / block, width / block, channels * block²)."""
        batch, high, wide, channels = io.x.shape
        return ((batch, high // self.block, wide // self.block, channels * self.block**2),)

    def pixels(self, x: Array) -> Array:
        """Return the input as (batch, h, w, block, block, channels)."""
        batch, high, wide, channels = x.shape
        n = self.block
        parts = x.reshape(batch, high // n, n, wide // n, n, channels)
        return parts.transpose(0, 1, 3, 2, 4, 5)
