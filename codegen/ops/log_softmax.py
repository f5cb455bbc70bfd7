"""LOG_SOFTMAX: logarithm of the softmax over the last dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.constraints import has_dimension, inputs, int8_or_float32, short_rows
from edgec.codegen.fixedpoint import exp_on_negative_values
from edgec.codegen.logarithm import IN_BITS, log_at_least_one
from edgec.codegen.quantmath import (
    quantize_multiplier,
    requantize_double,
    rounding_divide_by_pot,
)
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType

DIFF_INTEGER_BITS = 5
OUTPUT_SHIFT = 31 - DIFF_INTEGER_BITS - 4
"""From Q5.26 to the int8 output's scale of 1/16."""
OUTPUT_ZERO_POINT = 127


def scale_fits(op: KernelOp, io: Io) -> bool:
    """The scale of an int8 input is above 2**-26."""
    return io.x.dtype is DType.FLOAT32 or io.x.q.scale > 2.0**-26


def output_is_16_wide(op: KernelOp, io: Io) -> bool:
    """int8 outputs have scale 1/16 and zero point 127."""
    return io.y.dtype is DType.FLOAT32 or (io.y.q.scale, io.y.q.zero_point) == (1 / 16, 127)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LogSoftmax(KernelOp):
    """x - max - log(sum(exp(x - max))); int8 in gemmlowp's fixed point."""

    builtin: ClassVar[str] = "LOG_SOFTMAX"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        has_dimension,
        int8_or_float32,
        output_is_16_wide,
        scale_fits,
        short_rows,
    )

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read an op that has no options."""
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def multiplier(self, io: Io) -> tuple[int, int]:
        """Return (multiplier, shift) from steps of the input to Q5.26; PreprocessSoftmaxScaling."""
        fraction = 31 - DIFF_INTEGER_BITS
        return quantize_multiplier(min(io.x.q.scale * (1 << fraction), (1 << 31) - 1.0))

    def reverse_multiplier(self, io: Io) -> tuple[int, int]:
        """Return (multiplier, shift) back to steps; PreprocessLogSoftmaxScalingExp."""
        multiplier, shift = self.multiplier(io)
        return quantize_multiplier((1 << (31 - shift)) / multiplier)

    def radius(self, io: Io) -> int:
        """Return how many steps below the maximum still count; CalculateInputRadius."""
        reach = ((1 << DIFF_INTEGER_BITS) - 1) << (31 - DIFF_INTEGER_BITS)
        return math.floor(reach / (1 << self.multiplier(io)[1]))

    def exponentials(self, io: Io) -> Array:
        """Return exp(scale * -i) for i = 0, 1, … in Q12.19, as far as it counts."""
        steps = np.arange(min(self.radius(io), 255) + 1, dtype=np.int64)
        exps = exp_on_negative_values(requantize_double(-steps, *self.multiplier(io)))
        return rounding_divide_by_pot(exps, IN_BITS)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Normalise each row; TFLite integer_ops/log_softmax.h."""
        x = np.asarray(inputs[0]).reshape(-1, io.x.shape[-1])
        if io.x.dtype is DType.FLOAT32:
            wide = x.astype(np.float64) - x.max(axis=1, keepdims=True)
            result = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
            return (result.astype(np.float32).reshape(io.y.shape),)
        table = self.exponentials(io)
        diff = x.astype(np.int64) - x.max(axis=1, keepdims=True)
        exps = np.where(-diff < len(table), table[np.minimum(-diff, len(table) - 1)], 0)
        out = np.empty_like(x)
        for row, total in enumerate(exps.sum(axis=1)):
            log_sum = log_at_least_one(int(total))
            floor = np.asarray(log_sum - (1 << 31), np.int64)
            least = max(
                -self.radius(io) - 1, int(requantize_double(floor, *self.reverse_multiplier(io)))
            )
            logs = (
                requantize_double(np.maximum(diff[row], least + 1), *self.multiplier(io)) - log_sum
            )
            value = rounding_divide_by_pot(logs, OUTPUT_SHIFT) + OUTPUT_ZERO_POINT
            out[row] = np.where(diff[row] > least, np.clip(value, -128, 127), -128)
        return (out.reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return the kernel; int8 reads its exponentials from a table."""
        depth = io.x.shape[-1]
        shape = {"rows": io.x.size // depth, "depth": depth}
        if io.x.dtype is DType.FLOAT32:
            return Step("edgec_log_softmax_float32", shape)
        table = self.exponentials(io).astype(np.int32)
        (multiplier, shift), (back, back_shift) = self.multiplier(io), self.reverse_multiplier(io)
        return Step(
            "edgec_log_softmax_int8",
            {
                "exp": Const(table, "(size) exp of -i steps of the input, Q12.19"),
                **shape,
                "size": len(table),
                "radius": self.radius(io),
                "multiplier": multiplier,
                "shift": shift,
                "reverse_multiplier": back,
                "reverse_shift": back_shift,
            },
        )
