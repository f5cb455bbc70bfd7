"""L2_NORMALIZATION: the last dimension divided by its Euclidean length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.constraints import inputs, int8_or_float32, small_dimensions
from edgec.codegen.inverse_root import inverse_root
from edgec.codegen.quantmath import requantize_double
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType

OUTPUT_BITS = 7
"""Fraction bits of the int8 output."""
EPSILON = np.float32(1e-6)
"""The least length that float32 vectors are divided by."""


def output_is_signed_unit_range(op: KernelOp, io: Io) -> bool:
    """int8 outputs have scale 1/128 and zero point 0."""
    return io.y.dtype is DType.FLOAT32 or (io.y.q.scale, io.y.q.zero_point) == (1 / 128, 0)


def has_dimension(op: KernelOp, io: Io) -> bool:
    """The input has at least one dimension."""
    return len(io.x.shape) > 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class L2Normalization(KernelOp):
    """Vectors of length 1 along the last dimension."""

    builtin: ClassVar[str] = "L2_NORMALIZATION"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        has_dimension,
        small_dimensions,
        int8_or_float32,
        output_is_signed_unit_range,
    )

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read L2NormOptions: 0 activation, which must be none."""
        if node.options.int8(0):
            raise UnsupportedModelError("a fused activation is not supported")
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Divide each row; int8 in fixed point, TFLite integer_ops/l2normalization.h."""
        x = np.asarray(inputs[0]).reshape(-1, io.x.shape[-1])
        if io.x.dtype is DType.FLOAT32:
            squares = (x.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
            length = np.maximum(np.sqrt(squares).astype(np.float32), EPSILON)
            return ((x / length).reshape(io.y.shape),)
        centred = x.astype(np.int64) - io.x.q.zero_point
        rows = []
        for row in centred:
            multiplier, shift = inverse_root(int((row * row).sum()))
            rows.append(requantize_double(row, multiplier, shift + OUTPUT_BITS))
        return (np.clip(np.stack(rows), -128, 127).astype(np.int8).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return the kernel of the type."""
        depth = io.x.shape[-1]
        shape = {"rows": io.x.size // depth, "depth": depth}
        if io.x.dtype is DType.FLOAT32:
            return Step("edgec_l2_normalization_float32", shape)
        zero = {"in_zero_point": io.x.q.zero_point}
        return Step("edgec_l2_normalization_int8", {**shape, **zero})
