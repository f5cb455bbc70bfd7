"""What DEPTH_TO_SPACE and SPACE_TO_DEPTH share: square blocks of pixels against channels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves
from edgec.codegen.constraints import four_dimensions, inputs
from edgec.codegen.registry import Io, KernelOp, Node, Step
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array

LIMITS = (inputs(1), four_dimensions, moves.same_type)
"""The constraints that both ops have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelBlocks(KernelOp):
    """Each pixel of one side is `block` x `block` pixels of the other."""

    constraints: ClassVar[tuple[Any, ...]] = LIMITS

    block: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read DepthToSpaceOptions or SpaceToDepthOptions: 0 block size."""
        block = node.options.int32(0)
        if not 1 <= block <= 32767:
            raise UnsupportedModelError(f"block size {block} is out of range")
        return cls(block=block, **node.ends)

    @abstractmethod
    def pixels(self, x: Array) -> Array:
        """Return the input with its axes taken apart, in the order of the output."""

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Move."""
        return (self.pixels(np.asarray(inputs[0])).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return one move."""
        source = self.pixels(moves.layout(io.x))
        return moves.step(io, [moves.Move(source, moves.layout(io.y).reshape(source.shape))])
