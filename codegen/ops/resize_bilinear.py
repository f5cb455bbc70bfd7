"""RESIZE_BILINEAR: height and width scaled, every pixel mixed from its four neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves, resize
from edgec.codegen.constraints import (
    four_dimensions,
    inputs,
    integers_or_float32,
    small_dimensions,
    symmetric_int16,
)
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType


def positions_are_inside(op: ResizeBilinear, io: Io) -> bool:
    """The output is not so large that positions in 1/1024 pixel round over the border."""
    if io.x.dtype is DType.FLOAT32:
        return True
    return all(op.fixed(io, axis)[0].max() < io.x.shape[axis] for axis in (1, 2))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeBilinear(KernelOp):
    """Integers are mixed in positions of 1/1024 pixel, halves rounded away from zero."""

    builtin: ClassVar[str] = "RESIZE_BILINEAR"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        four_dimensions,
        small_dimensions,
        integers_or_float32,
        symmetric_int16,
        moves.same_type,
        positions_are_inside,
    )

    size: tuple[int, int]
    align_corners: bool
    half_pixel_centers: bool

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the constant size; ResizeBilinearOptions: 2 align corners, 3 half pixel."""
        align, half = node.options.boolean(2), node.options.boolean(3)
        if align and half:
            raise UnsupportedModelError("align corners and half pixel centers exclude each other")
        size = resize.read_size(node)
        return cls(size=size, align_corners=align, half_pixel_centers=half, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, *size, channels)."""
        return ((io.x.shape[0], *self.size, io.x.shape[3]),)

    def fixed(self, io: Io, axis: int) -> tuple[Array, Array, Array]:
        """Return (first, second, share of the second in 1/1024) for every output row or column."""
        return resize.fixed(
            io.x.shape[axis], self.size[axis - 1], self.align_corners, self.half_pixel_centers
        )

    def floating(self, io: Io, axis: int) -> tuple[Array, Array, Array]:
        """Return (first, second, share of the second) for every output row or column."""
        return resize.floating(
            io.x.shape[axis], self.size[axis - 1], self.align_corners, self.half_pixel_centers
        )

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Mix."""
        exact = io.x.dtype is not DType.FLOAT32
        tables = self.fixed if exact else self.floating
        (y0, y1, dy), (x0, x1, dx) = tables(io, 1), tables(io, 2)
        dy, dx = dy[:, None, None], dx[:, None]
        one = dy.dtype.type(1024 if exact else 1)
        x = np.asarray(inputs[0]).astype(np.int64 if exact else np.float32)
        top, bottom = x[:, y0], x[:, y1]
        mixed = (
            top[:, :, x0] * (one - dy) * (one - dx)
            + bottom[:, :, x0] * dy * (one - dx)
            + top[:, :, x1] * (one - dy) * dx
            + bottom[:, :, x1] * dy * dx
        )
        if not exact:
            return (mixed,)
        rounded = (np.abs(mixed) + (1 << 19)) >> 20
        return ((np.sign(mixed) * rounded).astype(io.y.dtype.numpy),)

    def lower(self, io: Io) -> Step:
        """Return the table-driven kernel."""
        exact = io.x.dtype is not DType.FLOAT32
        params: dict[str, Const] = {}
        for name, axis in (("row", 1), ("column", 2)):
            first, second, share = (self.fixed if exact else self.floating)(io, axis)
            pairs = np.stack([first, second], axis=1).astype(np.int16)
            params[f"{name}s"] = Const(pairs, f"({name}, {{first, second}})")
            params[f"{name}_shares"] = Const(share.astype(np.int16 if exact else np.float32))
        name = f"edgec_resize_bilinear_{io.x.dtype.value}"
        return Step(name, {**params, **resize.sides(io), "channels": io.x.shape[3]})
