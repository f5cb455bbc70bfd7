"""BATCH_MATMUL: products of matrices, either of which may be transposed or repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import broadcast, float_vectors
from edgec.codegen.binary import Scale, scale_of
from edgec.codegen.constraints import (
    all_inputs_alike,
    inputs,
    integers_or_float32,
    symmetric_int16,
)
from edgec.codegen.quantmath import reduced_multiplier, requantize_double, requantize_reduced
from edgec.codegen.registry import Cost, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType

MAX_DEPTH = (2**31 - 1) // 255**2


def matrices_fit(op: BatchMatMul, io: Io) -> bool:
    """Both inputs have 2 to 5 dimensions, and the columns of the first are the second's rows."""
    x, w = io.x.shape, io.input(1).shape
    if not (2 <= len(x) <= 5 and 2 <= len(w) <= 5):
        return False
    return x[-2 if op.adj_x else -1] == w[-1 if op.adj_y else -2]


def batches_broadcast(op: KernelOp, io: Io) -> bool:
    """The dimensions before the last two broadcast."""
    try:
        np.broadcast_shapes(io.x.shape[:-2], io.input(1).shape[:-2])
    except ValueError:
        return False
    return True


def sum_fits_int32(op: BatchMatMul, io: Io) -> bool:
    """An int8 product sums at most 33025 elements."""
    return io.x.dtype is not DType.INT8 or op.depth(io) <= MAX_DEPTH


def wide_sum_fits(op: BatchMatMul, io: Io) -> bool:
    """An int16 product sums fewer than 2**17 elements, rescaled below 2**30."""
    if io.x.dtype is not DType.INT16:
        return True
    (multiplier, shift), depth = op.scale(io), op.depth(io)
    small = (depth << 30) * multiplier * 2.0 ** (shift - 31) < 1 << 30
    return depth < 1 << 17 and shift <= 7 and small


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMatMul(KernelOp):
    """Matrix product of the last two dimensions."""

    builtin: ClassVar[str] = "BATCH_MATMUL"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        integers_or_float32,
        all_inputs_alike,
        symmetric_int16,
        matrices_fit,
        batches_broadcast,
        sum_fits_int32,
        wide_sum_fits,
    )

    adj_x: bool
    adj_y: bool

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read BatchMatMulOptions: 0 adj_x, 1 adj_y."""
        o = node.options
        return cls(adj_x=o.boolean(0), adj_y=o.boolean(1), **node.ends)

    def depth(self, io: Io) -> int:
        """Return the number of products summed."""
        return io.x.shape[-2 if self.adj_x else -1]

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the broadcast batch dimensions, then rows and columns."""
        x, w = io.x.shape, io.input(1).shape
        batch = np.broadcast_shapes(x[:-2], w[:-2])
        return ((*batch, x[-1 if self.adj_x else -2], w[-2 if self.adj_y else -1]),)

    def macs(self, io: Io) -> int:
        """Return output elements times products summed."""
        return io.y.size * self.depth(io)

    def scale(self, io: Io) -> Scale:
        """Return the product's scale; TFLite GetQuantizedConvolutionMultipler."""
        return scale_of(io, np.float32, lambda x1, x2, y: float(x1 * x2) / float(y))

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Multiply: int8 exactly, then requantised; float32 in the order of the kernel."""
        a, b = np.asarray(inputs[0]), np.asarray(inputs[1])
        a = a.swapaxes(-1, -2) if self.adj_x else a
        b = b.swapaxes(-1, -2) if self.adj_y else b
        if io.x.dtype is DType.FLOAT32:
            total = np.zeros(io.y.shape, np.float32)
            for k in range(self.depth(io)):
                total += a[..., :, k, None] * b[..., None, k, :]
            return (total,)
        acc = (a.astype(np.float64) - io.x.q.zero_point) @ (b - float(io.input(1).q.zero_point))
        if io.x.dtype is DType.INT16:
            wide = requantize_reduced(acc.astype(np.int64), *self.scale(io))
            return (np.clip(wide, *io.y.dtype.range).astype(np.int16),)
        out = requantize_double(acc.astype(np.int64), *self.scale(io)) + io.y.q.zero_point
        return (np.clip(out, -128, 127).astype(np.int8),)

    def lower(self, io: Io) -> Step:
        """Return the kernel, which walks both matrices by their strides."""
        x_cols, w_cols = io.x.shape[-1], io.input(1).shape[-1]
        fields: dict[str, Any] = {
            **broadcast.matrix_loops(io),
            "rows": io.y.shape[-2],
            "columns": io.y.shape[-1],
            "depth": self.depth(io),
            "row1": 1 if self.adj_x else x_cols,
            "depth1": x_cols if self.adj_x else 1,
            "column2": w_cols if self.adj_y else 1,
            "depth2": 1 if self.adj_y else w_cols,
        }
        if io.x.dtype is DType.FLOAT32:
            step = Step("edgec_batch_matmul_float32", fields, inputs=(0, 1))
            return float_vectors.plain_cost(step, 4 * self.macs(io))
        multiplier, shift = self.scale(io)
        if io.x.dtype is DType.INT16:
            fields |= {"multiplier": int(reduced_multiplier(multiplier)), "shift": 15 - shift}
            return Step("edgec_batch_matmul_int16", fields, inputs=(0, 1))
        return Step(
            "edgec_batch_matmul_int8",
            {
                **fields,
                "multiplier": multiplier,
                "shift": shift,
                "zero_point1": io.x.q.zero_point,
                "zero_point2": io.input(1).q.zero_point,
                "out_zero_point": io.y.q.zero_point,
            },
            inputs=(0, 1),
        )

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the float32 kernel for vector units, which wants the first matrix row by row."""
        if not float_vectors.usable(io, features) or self.adj_x:
            return ()
        width = float_vectors.panel_width(features, io.y.shape[-1])
        step = self.lower(io)
        kernel = f"{step.kernel}_vector{width}"
        cost = Cost(self.macs(io) // width + 1, 0)
        return (replace(step, kernel=kernel, scratch_bytes=4 * width * self.depth(io), cost=cost),)
