"""SOFTMAX: exponentials of the last dimension, normalised to sum to one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import float_vectors, int16_softmax
from edgec.codegen.constraints import (
    has_dimension,
    inputs,
    integers_or_float32,
    short_rows,
    symmetric_int16,
)
from edgec.codegen.fixedpoint import exp_on_negative_values, reciprocal
from edgec.codegen.quantmath import doubling_high_mul, quantize_multiplier, rounding_divide_by_pot
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType

DIFF_INTEGER_BITS = 5
SUM_INTEGER_BITS = 12


def output_is_unit_range(op: KernelOp, io: Io) -> bool:
    """int8 outputs have scale 1/256 and zero point -128."""
    return io.y.dtype is not DType.INT8 or (
        io.y.q.zero_point == -128 and abs(io.y.q.scale * 256 - 1) < 1e-3
    )


def scale_fits(op: Softmax, io: Io) -> bool:
    """Beta times the scale of an int8 input is above 2**-26."""
    return io.x.dtype is not DType.INT8 or op.beta * io.x.q.scale > 2.0**-26


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(KernelOp):
    """Softmax over the last dimension; int8 in gemmlowp's fixed point, exponentials tabulated.

    int16 interpolates exponentials and the reciprocal of their sum.
    """

    builtin: ClassVar[str] = "SOFTMAX"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        integers_or_float32,
        symmetric_int16,
        has_dimension,
        short_rows,
        scale_fits,
        output_is_unit_range,
    )

    beta: float = 1.0

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read SoftmaxOptions: 0 beta."""
        return cls(beta=node.options.float32(0), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def exponentials(self, io: Io) -> Array:
        """Return exp(beta * scale * -i) for i = 0, 1, … as Q0.31, as far as it counts.

        Source: TFLite PreprocessSoftmaxScaling, CalculateInputRadius and reference_ops::Softmax.
        """
        fraction = 31 - DIFF_INTEGER_BITS
        real = min(float(np.float64(np.float32(self.beta)) * io.x.q.scale) * (1 << fraction),
                   (1 << 31) - 1.0)  # fmt: skip
        multiplier, shift = quantize_multiplier(real)
        radius = ((1 << DIFF_INTEGER_BITS) - 1) * (1 << fraction) / (1 << shift)
        steps = np.arange(min(math.floor(radius), 255) + 1, dtype=np.int64)
        return exp_on_negative_values(doubling_high_mul(-steps << shift, multiplier))

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Normalise each row."""
        x = np.asarray(inputs[0]).reshape(-1, io.x.shape[-1])
        if io.x.dtype is DType.FLOAT32:
            e = np.exp((x.astype(np.float64) - x.max(axis=1, keepdims=True)) * self.beta)
            return ((e / e.sum(axis=1, keepdims=True)).astype(np.float32).reshape(io.y.shape),)
        if io.x.dtype is DType.INT16:
            return (int16_softmax.reference(x, self.beta, io).reshape(io.y.shape),)
        table = self.exponentials(io)
        diff = x.max(axis=1, keepdims=True).astype(np.int64) - x
        exps = np.where(diff < len(table), table[np.minimum(diff, len(table) - 1)], 0)
        sums = rounding_divide_by_pot(exps, SUM_INTEGER_BITS).sum(axis=1)
        out = np.empty_like(x)
        for row, total in enumerate(sums):
            scale, bits = reciprocal(int(total), SUM_INTEGER_BITS)
            product = doubling_high_mul(exps[row], scale)
            value = rounding_divide_by_pot(product, bits + 31 - 8) - 128
            out[row] = np.where(diff[row] < len(table), np.clip(value, -128, 127), -128)
        return (out.reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return the kernel; int8 reads its exponentials from a table."""
        depth = io.x.shape[-1]
        shape: dict[str, int] = {"rows": io.x.size // depth, "depth": depth}
        if io.x.dtype is DType.FLOAT32:
            step = Step("edgec_softmax_float32", {**shape, "beta": self.beta})
            return float_vectors.plain_cost(step, 50 * io.x.size)
        if io.x.dtype is DType.INT16:
            return int16_softmax.step(shape, self.beta, io)
        table = self.exponentials(io).astype(np.int32)
        exps = Const(table, "(size) exp of -i steps of the input, Q0.31")
        return Step("edgec_softmax_int8", {"exp": exps, **shape, "size": len(table)})

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the float32 kernel for vector units."""
        return float_vectors.element_variants(io, features, self.lower(io))
