"""GATHER: slices of a tensor, picked along an axis by index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, moves
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType


def same_type(op: KernelOp, io: Io) -> bool:
    """Input and output have the same type; 8-bit ones have the same scale and zero point."""
    return moves.inputs_like_output(op, Io((io.x,), io.outputs))


def index_type(op: KernelOp, io: Io) -> bool:
    """The indices are int32 or int64."""
    return io.input(1).dtype in (DType.INT32, DType.INT64)


def batches_alike(op: Gather, io: Io) -> bool:
    """Input and indices have the same batch dimensions, which lie before the axis."""
    n = op.batch_dims
    return n <= op.axis and io.x.shape[:n] == io.input(1).shape[:n]


def constant_indices_fit(op: Gather, io: Io) -> bool:
    """Constant indices lie in the axis; others are limited to it at run time."""
    indices = io.input(1).data
    return indices is None or bool(np.all((indices >= 0) & (indices < io.x.shape[op.axis])))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Gather(KernelOp):
    """Slices of the input at the indices, in the place of the axis.

    An index out of range, which the reference interpreter refuses at run time, reads the first or
    last slice.
    """

    builtin: ClassVar[str] = "GATHER"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        same_type,
        index_type,
        batches_alike,
        constant_indices_fit,
    )

    axis: int
    batch_dims: int

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read GatherOptions: 0 axis, 1 batch_dims."""
        axis = axes.axis(node.options.int32(0), len(node.input(0).shape))
        batch_dims, dims = node.options.int32(1), len(node.input(1).shape)
        if not -dims <= batch_dims <= dims:
            raise UnsupportedModelError(f"batch_dims {batch_dims} of {dims} index dimensions")
        if batch_dims < 0:
            batch_dims += dims
        return cls(axis=axis, batch_dims=batch_dims, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape with the axis replaced by the indices' shape."""
        x, indices = io.x.shape, io.input(1).shape
        return ((*x[: self.axis], *indices[self.batch_dims :], *x[self.axis + 1 :]),)

    def _sizes(self, io: Io) -> tuple[int, int, int, int, int]:
        """Return the sizes (batch, outer, axis, indices a batch, inner)."""
        x, n = io.x.shape, self.batch_dims
        return (
            math.prod(x[:n]),
            math.prod(x[n : self.axis]),
            x[self.axis],
            math.prod(io.input(1).shape[n:]),
            math.prod(x[self.axis + 1 :]),
        )

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Pick the slices of each batch."""
        batch, outer, size, count, inner = self._sizes(io)
        x = np.asarray(inputs[0]).reshape(batch, outer, size, inner)
        indices = np.clip(np.asarray(inputs[1]).reshape(batch, count), 0, size - 1)
        picked = np.stack([x[b][:, indices[b]] for b in range(batch)])
        return (picked.reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return the kernel, which copies bytes whatever the type."""
        batch, outer, size, count, inner = self._sizes(io)
        return Step(
            "edgec_gather",
            {
                "batches": batch,
                "outer": outer,
                "size": size,
                "count": count,
                "bytes": inner * io.x.dtype.size_bytes,
                "wide": int(io.input(1).dtype is DType.INT64),
            },
            inputs=(0, 1),
        )
