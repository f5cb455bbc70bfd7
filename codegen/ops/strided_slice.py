"""STRIDED_SLICE: numpy's indexing by slices, numbers, new axes and an ellipsis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array

Part = tuple[int, int, int] | int | None
"""What one place of the index takes: (start, stop, stride), one position, or a new dimension.

Positions count from the front; a stop of -1 is before the first element.
"""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class StridedSlice(KernelOp):
    """Strides may be negative; positions count from the end where they are negative."""

    builtin: ClassVar[str] = "STRIDED_SLICE"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(4),
        moves.same_type,
        moves.at_most_eight_dimensions,
    )

    parts: tuple[Part, ...]

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read begin, end and strides, all constant, and StridedSliceOptions.

        Slots: 0 begin, 1 end, 2 ellipsis, 3 new axis and 4 shrink axis masks, 5 offset.
        """
        if node.options.boolean(5):
            raise UnsupportedModelError("ends counted from the begins are not supported")
        begin = axes.integers(node, 1, "begin")
        end = axes.integers(node, 2, "end", len(begin))
        strides = axes.integers(node, 3, "strides", len(begin))
        masks = [node.options.int32(slot) for slot in range(5)]
        return cls(
            parts=_parts(node.input(0).shape, tuple(zip(begin, end, strides, strict=True)), masks),
            **node.ends,
        )

    @property
    def index(self) -> tuple[Any, ...]:
        """The index as numpy takes it; the ellipsis makes a single element an array, too."""
        parts = (
            slice(p[0], None if p[1] < 0 else p[1], p[2]) if isinstance(p, tuple) else p
            for p in self.parts
        )
        return (*parts, ...)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the shape of the indexed input."""
        return (moves.layout(io.x)[self.index].shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Index."""
        return (np.asarray(inputs[0])[self.index],)

    def lower(self, io: Io) -> Step:
        """Return one move."""
        return moves.step(io, [moves.Move(moves.layout(io.x)[self.index], moves.layout(io.y))])


def _parts(
    shape: Shape, places: tuple[tuple[int, int, int], ...], masks: list[int]
) -> tuple[Part, ...]:
    """Return the index for every dimension; TFLite kernels/strided_slice.cc.

    `places` are (begin, end, stride), `masks` have one bit a place.
    """
    ellipsis, new_axis = masks[2], masks[3] & ~masks[2]
    count = len(places)
    if ellipsis >> count or masks[3] >> count or ellipsis & (ellipsis - 1):
        raise UnsupportedModelError("the ellipsis or new axis mask is malformed")
    used = count - new_axis.bit_count() - ellipsis.bit_count()
    rest = len(shape) - used
    if rest < 0 or (ellipsis and rest < 1):
        raise UnsupportedModelError(f"{count} index places for {len(shape)} dimensions")
    parts: list[Part] = []
    sizes = iter(shape)
    for i, place in enumerate(places):
        if ellipsis >> i & 1:
            parts += [(0, next(sizes), 1) for _ in range(rest)]
        elif new_axis >> i & 1:
            parts.append(None)
        else:
            flags = (masks[0] >> i & 1, masks[1] >> i & 1, masks[4] >> i & 1)
            parts.append(_part(next(sizes), *place, *flags))
    return (*parts, *((0, size, 1) for size in sizes))


def _part(
    size: int, begin: int, end: int, stride: int, from_end: int, to_end: int, shrink: int
) -> Part:
    if stride == 0 or abs(stride) >= 2**31:
        raise UnsupportedModelError(f"stride {stride} is out of range")
    start, stop, stride = slice(
        None if from_end else begin, None if to_end else end, stride
    ).indices(size)
    if shrink:
        if stride < 1 or not -size <= begin < size:
            raise UnsupportedModelError(f"position {begin}, stride {stride} of {size} elements")
        return start
    if len(range(start, stop, stride)) == 0:
        raise UnsupportedModelError(f"elements {begin}:{end}:{stride} of {size} are none")
    return (start, stop, stride)
