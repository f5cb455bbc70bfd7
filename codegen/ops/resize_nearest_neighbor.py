"""RESIZE_NEAREST_NEIGHBOR: height and width scaled by repeating or dropping pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves, resize
from edgec.codegen.constraints import four_dimensions, inputs, small_dimensions
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeNearestNeighbor(KernelOp):
    """Pixels are looked up in a table of rows and one of columns."""

    builtin: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        four_dimensions,
        small_dimensions,
        moves.same_type,
    )

    size: tuple[int, int]
    align_corners: bool
    half_pixel_centers: bool

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read the constant size; ResizeNearestNeighborOptions: 0 align corners, 1 half pixel."""
        align, half = node.options.boolean(0), node.options.boolean(1)
        size = resize.read_size(node)
        return cls(size=size, align_corners=align, half_pixel_centers=half, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, *size, channels)."""
        return ((io.x.shape[0], *self.size, io.x.shape[3]),)

    def _sources(self, io: Io, axis: int) -> Array:
        return resize.nearest(
            io.x.shape[axis], io.y.shape[axis], self.align_corners, self.half_pixel_centers
        )

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Look up."""
        rows, columns = self._sources(io, 1), self._sources(io, 2)
        return (np.asarray(inputs[0])[:, rows][:, :, columns],)

    def lower(self, io: Io) -> Step:
        """Return the table-driven kernel."""
        return Step(
            "edgec_resize_nearest_neighbor",
            {
                "rows": Const(self._sources(io, 1).astype(np.int16), "(out_h)"),
                "columns": Const(self._sources(io, 2).astype(np.int16), "(out_w)"),
                **resize.sides(io),
                "pixel_bytes": io.x.shape[3] * io.x.dtype.size_bytes,
            },
        )
