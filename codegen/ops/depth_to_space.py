"""DEPTH_TO_SPACE: channels spread out into blocks of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen.pixel_blocks import LIMITS, PixelBlocks
from edgec.codegen.registry import Io, Shape, register
from edgec.pipeline.graph import Array


def blocks_fit(op: DepthToSpace, io: Io) -> bool:
    """block² divides the channels."""
    return io.x.shape[-1:] != () and io.x.shape[-1] % op.block**2 == 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DepthToSpace(PixelBlocks):
    """Every pixel becomes block x block pixels of block² times fewer channels."""

    builtin: ClassVar[str] = "DEPTH_TO_SPACE"
    constraints: ClassVar[tuple[Any, ...]] = (*LIMITS, blocks_fit)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, height * block, width * block, channels / block²)."""
        batch, high, wide, channels = io.x.shape
        return ((batch, high * self.block, wide * self.block, channels // self.block**2),)

    def pixels(self, x: Array) -> Array:
        """Return the input as (batch, h, block, w, block, channels)."""
        batch, high, wide, channels = x.shape
        parts = x.reshape(batch, high, wide, self.block, self.block, channels // self.block**2)
        return parts.transpose(0, 1, 3, 2, 4, 5)
