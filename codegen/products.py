"""What the ops that multiply by constant weights share: quantisation of products, checks, bias."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgec.codegen.quantmath import (
    activation_range,
    quantize_multiplier,
    requantize_double,
    requantize_single,
)
from edgec.codegen.registry import Const, Io, KernelOp
from edgec.pipeline.graph import Activation, Array, DType, Tensor


def channel_multipliers(x: Tensor, weights: Tensor, y: Tensor, channels: int) -> Array:
    """Return (multiplier, shift) of every output channel, shape (channels, 2).

    Real multiplier = input scale * weight scale / output scale, in double precision as in
    TFLite's PopulateConvolutionQuantizationParams.
    """
    scales = channel_scales(x, weights, y, channels)
    return np.array([quantize_multiplier(float(scale)) for scale in scales], np.int64)


def channel_scales(x: Tensor, weights: Tensor, y: Tensor, channels: int) -> Array:
    """Return what sums are multiplied by in each output channel, float64 (channels)."""
    scales = np.broadcast_to(np.array(weights.q.scales, np.float64), (channels,))
    with np.errstate(all="ignore"):  # what is not finite is refused where it becomes a multiplier
        return np.asarray(np.float64(x.q.scale) * scales / np.float64(y.q.scale))


def bias_values(bias: Tensor | None, channels: int) -> Array:
    """Return the bias as int64 or float64, zeros where there is none."""
    if bias is None:
        return np.zeros(channels, np.int64)
    values: Array = bias.values.reshape(-1)
    return values


def folded_bias(x: Tensor, weight_rows: Array, bias: Tensor | None) -> Array:
    """Return the bias with the input zero point folded in: b - zp * sum(w), one per row.

    `weight_rows` has shape (out_channels, products per output).
    """
    sums = weight_rows.astype(np.int64).sum(axis=1)
    folded = bias_values(bias, len(weight_rows)).astype(np.int64) - x.q.zero_point * sums
    return np.asarray(folded)


def row_reach(x: Tensor, weight_rows: Array, bias: Tensor | None) -> tuple[Array, Array]:
    """Return the least and the greatest sum of each row for int8 inputs, int64."""
    rows = weight_rows.astype(np.int64)
    start = folded_bias(x, rows, bias)
    ends = rows * -128, rows * 127
    low, high = np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)
    return start + low, start + high


def channel_stream(bias: Array, multipliers: Array) -> Const:
    """Return the (bias, multiplier, shift) triples that a kernel reads in channel order."""
    stream = np.column_stack([bias, multipliers]).astype(np.int32)
    return Const(stream, "(out_ch, {bias, multiplier, shift})")


def finish(
    acc: Array, multipliers: Array, y: Tensor, activation: Activation, *, single: bool
) -> Array:
    """Requantise accumulators (channels last) to the output's int8, clamped."""
    requantize = requantize_single if single else requantize_double
    low, high = activation_range(activation, y)
    out = requantize(acc, multipliers[:, 0], multipliers[:, 1]) + y.q.zero_point
    return np.asarray(np.clip(out, low, high).astype(np.int8))


def clamp_float(x: Array, activation: Activation) -> Array:
    """Apply a fused activation to float32 values."""
    low, high = activation.bounds
    return np.asarray(np.clip(x, low, high).astype(np.float32))


def product_types(op: KernelOp, io: Io) -> bool:
    """Input and output are int8 or int16 and the weights int8, or all are float32.

    int8 weights are symmetric (zero point 0), with one scale or one per output channel. The bias
    is int32 or float32; for int16 see `int16_products`.
    """
    x, weights, bias = io.x, io.input(1), io.optional(2)
    if x.dtype is DType.FLOAT32:
        ends = (weights, io.y) if bias is None else (weights, io.y, bias)
        return all(t.dtype is DType.FLOAT32 for t in ends)
    wanted = {(DType.INT8,) * 3, (DType.INT16, DType.INT8, DType.INT16)}
    if (x.dtype, weights.dtype, io.y.dtype) not in wanted:
        return False
    if not (x.quant and weights.quant and io.y.quant):
        return False
    symmetric = not any(weights.q.zero_points)
    whole = not x.q.per_channel and not io.y.q.per_channel
    narrow = x.dtype is DType.INT16 or bias is None or bias.dtype is DType.INT32
    return symmetric and whole and narrow


def constant_weights(op: KernelOp, io: Io) -> bool:
    """Weights and bias are constant."""
    bias = io.optional(2)
    return io.input(1).data is not None and (bias is None or bias.data is not None)


def bias_fits(channels: Callable[[Io], int]) -> Callable[[KernelOp, Io], bool]:
    """Return the constraint that the bias has `channels(io)` elements."""

    def one_bias_per_channel(op: KernelOp, io: Io) -> bool:
        """The bias has one element per output channel."""
        bias = io.optional(2)
        return bias is None or bias.size == channels(io)

    return one_bias_per_channel


def accumulator_fits(rows: Callable[[Io], Array]) -> Callable[[KernelOp, Io], bool]:
    """Return the constraint that no sum of products can leave int32.

    `rows(io)` are the weights as (out_channels, products per output).
    """

    def sum_fits_int32(op: KernelOp, io: Io) -> bool:
        """The sum of bias and products fits 32 bits for every int8 input."""
        if io.x.dtype is not DType.INT8:
            return True
        weights = rows(io).astype(np.int64)
        # the kernels start from the bias with the zero point folded in, so both must fit
        folded = np.abs(folded_bias(io.x, weights, io.optional(2)))
        plain = np.abs(bias_values(io.optional(2), len(weights)).astype(np.int64))
        reach = np.abs(weights).sum(axis=1)
        return bool(np.all(folded + 128 * reach < 2**31) and np.all(plain + 255 * reach < 2**31))

    return sum_fits_int32
