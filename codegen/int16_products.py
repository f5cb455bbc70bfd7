"""Products of int16 with constant int8 weights: limits, rescaling, portable kernels.

Source: TFLite `reference/integer_ops/{conv,depthwise_conv,transpose_conv,fully_connected}.h`, the
overloads for int16, and `kernels/internal/common.cc`. Zero points are 0; sums take 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import (
    activation_range,
    reduced_multiplier,
    requantize_double,
    requantize_real,
    requantize_reduced,
)
from edgec.codegen.registry import Const, Cost, Io, KernelOp, Node, Step, Value
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array, DType, Tensor

_MOST_SUM, _MOST_RESULT, _MOST_SHIFT = 1 << 47, 1 << 30, 7
INT32_CODE = 2
"""int32 as a TensorType of the schema."""


class Scaling(Enum):
    """How a sum comes to the output's scale.

    `REDUCED` multiplies by 15 bits and rounds once, halves up; `TWICE` is what int8 does, on sums
    of 32 bits, where the bias has them; `REAL` multiplies in float64 and rounds halves away from
    zero.
    """

    REDUCED = auto()
    TWICE = auto()
    REAL = auto()


@dataclass(frozen=True, slots=True)
class Rows:
    """The output channels of a layer: one row of weights, a bias and a rescaling each.

    `weights` has shape (out_ch, products per output), `multipliers` (out_ch, 2).
    """

    weights: Array
    bias: Array
    multipliers: Array
    scaling: Scaling

    def rescale(self, sums: Array) -> Array:
        """Return sums (channels last) at the output's scale, not clamped."""
        multiplier, shift = self.multipliers[:, 0], self.multipliers[:, 1]
        if self.scaling is Scaling.TWICE:
            return requantize_double(sums, multiplier, shift)
        if self.scaling is Scaling.REDUCED:
            return requantize_reduced(sums, multiplier, shift)
        return requantize_real(sums, np.asarray(multiplier))

    @property
    def reach(self) -> Array:
        """The greatest magnitude of each row's sum."""
        return np.asarray(np.abs(self.bias) + 32768 * np.abs(self.weights).sum(axis=1))


def narrow_bias(node: Node, slot: int) -> bool:
    """Read quantized_bias_type: whether bias and sums between int16 have 32 bits instead of 64."""
    return node.options.int8(slot) == INT32_CODE


def symmetric(op: KernelOp, io: Io) -> bool:
    """int16 inputs and outputs have zero point 0."""
    return io.x.dtype is not DType.INT16 or io.x.q.zero_point == io.y.q.zero_point == 0


def bias_type_fits(op: KernelOp, io: Io) -> bool:
    """Between int16 the bias is int64, or int32 where the op's quantized_bias_type says so."""
    bias = io.optional(2)
    if io.x.dtype is not DType.INT16 or bias is None:
        return True
    return bias.dtype is (DType.INT32 if getattr(op, "narrow_bias", False) else DType.INT64)


def row_fits(op: KernelOp, io: Io) -> bool:
    """Between int16 a depthwise window has at most 511 columns."""
    return io.x.dtype is not DType.INT16 or io.input(1).shape[2] <= 511


def sums_fit(op: Any, io: Io) -> bool:
    """Between int16, sums stay below 2**47 (2**31 with an int32 bias), rescaled below 2**30."""
    if io.x.dtype is not DType.INT16:
        return True
    rows: Rows = op.wide_rows(io)
    narrow = rows.scaling is Scaling.TWICE or getattr(op, "narrow_bias", False)
    if np.any(np.abs(rows.bias.astype(np.float64)) >= _MOST_SUM):
        return False  # reach could not hold it
    most = rows.reach
    if np.any(most >= ((1 << 31) if narrow else _MOST_SUM)):
        return False
    if rows.scaling is Scaling.REAL:
        return bool(np.all(most * rows.multipliers[:, 0] < _MOST_RESULT))
    multiplier, shift = rows.multipliers.T
    small = np.all(most * (multiplier * 2.0 ** (shift - 31.0)) < _MOST_RESULT)
    return bool(small and np.all(shift <= _MOST_SHIFT))


LIMITS = (symmetric, bias_type_fits, sums_fit)
"""The constraints of a layer between int16."""


def fixed_rows(io: Io, weights: Array, *, narrow: bool = False) -> Rows:
    """Return a layer's channels, rescaled by fixed-point multipliers.

    `io` holds input, weights and bias; `weights` are its weights, one row per output channel.
    """
    count = len(weights)
    return Rows(
        weights.astype(np.int64),
        products.bias_values(io.optional(2), count).astype(np.int64),
        products.channel_multipliers(io.x, io.input(1), io.y, count),
        Scaling.TWICE if narrow else Scaling.REDUCED,
    )


def real_rows(io: Io) -> Rows:
    """Return the channels of a dense layer, which LiteRT rescales in float64."""
    weights = io.input(1).values
    real = products.channel_scales(io.x, io.input(1), io.y, len(weights))
    bias = products.bias_values(io.optional(2), len(weights)).astype(np.int64)
    return Rows(
        weights.astype(np.int64), bias, np.column_stack([real, np.zeros(len(real))]), Scaling.REAL
    )


def finish(sums: Array, rows: Rows, y: Tensor, activation: Activation) -> Array:
    """Return int16 outputs of sums of products, whose last dimension is the channels."""
    out = rows.rescale(sums.astype(np.int64) + rows.bias)
    return np.asarray(np.clip(out, *activation_range(activation, y)).astype(np.int16))


def fields(rows: Rows, y: Tensor, activation: Activation) -> dict[str, Value]:
    """Return the parameters that the portable kernels take beside weights and shape."""
    low, high = activation_range(activation, y)
    starts = Const(rows.bias, "(out_ch)")
    if rows.scaling is Scaling.REAL:
        scales = Const(2.0 * rows.multipliers[:, 0], "(out_size)")
        return {"bias": starts, "scales": scales, "out_min": low, "out_max": high}
    multipliers, shifts = rows.multipliers.T
    if rows.scaling is Scaling.REDUCED:
        multipliers, shifts = reduced_multiplier(multipliers), 15 - shifts
    return {
        "bias": starts,
        "multipliers": Const(multipliers.astype(np.int32), "(out_ch)"),
        "shifts": Const(shifts.astype(np.int8), "(out_ch)"),
        "out_min": low,
        "out_max": high,
    }


def convolution(io: Io, rows: Rows, window: Window, activation: Activation) -> Step:
    """Return the portable kernel of a convolution in any number of groups."""
    weights = io.input(1)
    groups = io.x.shape[3] // weights.shape[3]
    pointwise = window.kernel == (1, 1) and not window.padded and groups == 1
    depth = rows.weights.shape[1]
    taps = window.kernel[0] * window.kernel[1]
    pixels = io.y.size // len(rows.weights)
    gather = 20 if pointwise else taps * (35 + 3 * depth // taps)
    each = gather + len(rows.weights) * (75 + 34 * depth // 10)
    return Step(
        "edgec_conv_2d_int16",
        {
            "weights": Const(weights.values, "(out_ch, kh, kw, in_ch / groups)"),
            **fields(rows, io.y, activation),
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
            "groups": groups,
            **window.fields,
            "rounds_twice": int(rows.scaling is Scaling.TWICE),
        },
        scratch_bytes=0 if pointwise else 2 * depth,
        accesses=window.accesses(io.x, io.y),
        cost=Cost(pixels * each, rows.weights.size + 13 * len(rows.weights)),
    )


def depthwise(io: Io, rows: Rows, window: Window, activation: Activation) -> Step:
    """Return the portable kernel of a depthwise convolution."""
    weights = io.input(1)
    channels, taps = rows.weights.shape
    return Step(
        "edgec_depthwise_conv_2d_int16",
        {
            "weights": Const(weights.values, "(1, kh, kw, in_ch * multiplier)"),
            **fields(rows, io.y, activation),
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            "out_h": io.y.shape[1],
            "out_w": io.y.shape[2],
            "multiplier": channels // io.x.shape[3],
            **window.fields,
        },
        accesses=window.accesses(io.x, io.y),
        cost=Cost(io.y.size * (110 + 12 * taps), weights.size + 13 * channels),
    )


def dense(io: Io, rows: Rows, activation: Activation) -> Step:
    """Return the portable kernel of a dense layer.

    One that is rescaled in fixed point is a convolution of one pixel wide windows.
    """
    out, size = io.input(1).shape
    batches = io.x.size // size
    cost = Cost(batches * out * (150 + 34 * size // 10), rows.weights.size + 16 * out)
    values = Const(io.input(1).values, "(out_size, in_size)")
    if rows.scaling is Scaling.REAL:
        shape = {"batches": batches, "in_size": size, "out_size": out}
        kernel = "edgec_fully_connected_int16"
        params = {"weights": values, **fields(rows, io.y, activation), **shape}
        return Step(kernel, params, cost=cost)
    ones = Window((1, 1), (1, 1))
    params = {
        "weights": values,
        **fields(rows, io.y, activation),
        "batches": batches, "in_h": 1, "in_w": 1, "in_ch": size,
        "out_h": 1, "out_w": 1, "out_ch": out, "groups": 1,
        **ones.fields,
        "rounds_twice": int(rows.scaling is Scaling.TWICE),
    }  # fmt: skip
    return Step("edgec_conv_2d_int16", params, scratch_bytes=0, cost=cost)


def transposed(io: Io, rows: Rows, window: Window, activation: Activation) -> Step:
    """Return the kernel of a transposed convolution; `io` holds input, weights and bias."""
    return Step(
        "edgec_transpose_conv_int16",
        {
            "weights": Const(io.input(1).values, "(out_ch, kh, kw, in_ch)"),
            **fields(rows, io.y, activation),
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
            **{k: v for k, v in window.fields.items() if "dilation" not in k},
            "rounds_twice": int(rows.scaling is Scaling.TWICE),
        },
        inputs=(2,),
    )
