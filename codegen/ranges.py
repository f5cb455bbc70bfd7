"""Which integers each channel of a tensor can take, by interval arithmetic over the graph.

A channel is an index of the last dimension. Rescaling is monotonic (multipliers are not negative),
so the bounds of a sum map to the bounds of the output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgec.codegen import int16_products, products
from edgec.codegen.binary import BinaryOp
from edgec.codegen.ops.add import Add
from edgec.codegen.ops.average_pool_2d import AveragePool2D
from edgec.codegen.ops.concatenation import Concatenation
from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.expand_dims import ExpandDims
from edgec.codegen.ops.fully_connected import FullyConnected
from edgec.codegen.ops.max_pool_2d import MaxPool2D
from edgec.codegen.ops.maximum import Maximum
from edgec.codegen.ops.minimum import Minimum
from edgec.codegen.ops.mul import Mul
from edgec.codegen.ops.pad import Pad
from edgec.codegen.ops.padv2 import PadV2
from edgec.codegen.ops.quantize import Quantize
from edgec.codegen.ops.reshape import Reshape
from edgec.codegen.ops.squeeze import Squeeze
from edgec.codegen.ops.sub import Sub
from edgec.codegen.ops.transpose import Transpose
from edgec.codegen.quantmath import activation_range
from edgec.codegen.reduction import Reduction
from edgec.codegen.registry import Io
from edgec.codegen.table_op import TableOp
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array, DType, Graph, Op, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """Smallest and largest value of each channel, int64 arrays of shape (channels,)."""

    low: Array
    high: Array

    @property
    def constant(self) -> Array:
        """Which channels always have the same value."""
        return np.asarray(self.low == self.high)


def value_ranges(graph: Graph) -> dict[str, Range]:
    """Return the range of every int8 and int16 tensor that has at least one dimension."""
    ranges: dict[str, Range] = {}
    for name, tensor in graph.tensors.items():
        if tensor.dtype in (DType.INT8, DType.INT16) and tensor.shape:
            ranges[name] = _anything(tensor)
            if tensor.data is not None:
                flat = tensor.data.reshape(-1, tensor.shape[-1]).astype(np.int64)
                ranges[name] = Range(flat.min(axis=0), flat.max(axis=0))
    for op in graph.ops:
        io = Io.of(graph, op)
        if all(t.name in ranges for t in (io.x, io.y)) and len(io.outputs) == 1:
            ranges[io.y.name] = _output(op, io, ranges)
    return ranges


def _anything(tensor: Tensor) -> Range:
    low, high = tensor.dtype.range
    channels = tensor.shape[-1]
    return Range(np.full(channels, low, np.int64), np.full(channels, high, np.int64))


def _output(op: Op, io: Io, ranges: Mapping[str, Range]) -> Range:
    x = ranges[io.x.name]
    if isinstance(op, Conv2D):
        weights = io.input(1).values
        if weights.shape[3] != io.x.shape[3]:
            return _anything(io.y)
        low, high = _reach(weights.astype(np.int64), x, io, op.window.padded)
        return _rescaled(op, io, low.sum(axis=(1, 2, 3)), high.sum(axis=(1, 2, 3)))
    if isinstance(op, DepthwiseConv2D):
        weights = io.input(1).values[0].astype(np.int64)
        repeat = weights.shape[2] // io.x.shape[3]
        each = Range(np.repeat(x.low, repeat), np.repeat(x.high, repeat))
        low, high = _reach(weights, each, io, op.window.padded)
        return _rescaled(op, io, low.sum(axis=(0, 1)), high.sum(axis=(0, 1)))
    if isinstance(op, FullyConnected):
        weights = io.input(1).values.astype(np.int64)
        if weights.shape[1] != len(x.low):
            return _anything(io.y)
        low, high = _reach(weights, x, io, False)
        return _rescaled(op, io, low.sum(axis=1), high.sum(axis=1))
    if isinstance(op, (AveragePool2D, MaxPool2D)):
        bounds = activation_range(op.activation, io.y)
        return Range(np.clip(x.low, *bounds), np.clip(x.high, *bounds))
    if isinstance(op, BinaryOp):
        return _corners(op, io, ranges)
    if isinstance(op, (Unary, Quantize, TableOp)):
        return _looked_up(op, io, x)
    if isinstance(op, (Reshape, Squeeze, ExpandDims)):
        return _reshaped(io, x)
    if isinstance(op, Reduction) and len(io.x.shape) - 1 not in op.axes:
        ends = (np.broadcast_to(end, io.x.shape) for end in (x.low, x.high))
        low, high = (op.reference(io, end)[0].astype(np.int64) for end in ends)
        return Range(*(end.reshape(-1, end.shape[-1])[0] for end in (low, high)))
    if isinstance(op, (Pad, PadV2)):
        return _padded(op, io, ranges)
    if isinstance(op, Transpose) and op.order[-1] == len(op.order) - 1:
        return x
    if isinstance(op, Concatenation):
        return _joined(op, io, ranges)
    return _anything(io.y)


def _corners(op: BinaryOp, io: Io, ranges: Mapping[str, Range]) -> Range:
    """Return the range of an op that is monotonic in each input, whatever the other one is."""
    names = [t.name for t in io.present]
    channels = io.y.shape[-1]
    if not isinstance(op, (Add, Sub, Mul, Maximum, Minimum)) or not ranges.keys() >= set(names):
        return _anything(io.y)
    first, second = (ranges[name] for name in names)
    found = [
        np.broadcast_to(op.reference(io, a, b)[0].astype(np.int64), (channels,))
        for a in (first.low, first.high)
        for b in (second.low, second.high)
    ]
    return Range(np.min(found, axis=0), np.max(found, axis=0))


def _looked_up(op: Unary | Quantize | TableOp, io: Io, x: Range) -> Range:
    least, most = io.x.dtype.range
    codes = np.arange(least, most + 1).astype(io.x.dtype.numpy)
    table = np.asarray(op.reference(io, codes)[0]).astype(np.int64)
    reach = [table[a - least : b - least + 1] for a, b in zip(x.low, x.high, strict=True)]
    return Range(np.array([r.min() for r in reach]), np.array([r.max() for r in reach]))


def _padded(op: Pad | PadV2, io: Io, ranges: Mapping[str, Range]) -> Range:
    x = ranges[io.x.name]
    if op.paddings[-1] != (0, 0):
        return _anything(io.y)
    if not any(map(any, op.paddings)):
        return x
    if isinstance(op, PadV2) and io.input(2).data is None:
        return _anything(io.y)
    fill = int(io.input(2).values.item()) if isinstance(op, PadV2) else io.y.q.zero_point
    return Range(np.minimum(x.low, fill), np.maximum(x.high, fill))


def _joined(op: Concatenation, io: Io, ranges: Mapping[str, Range]) -> Range:
    if not all(t.name in ranges for t in io.present):
        return _anything(io.y)
    parts = [ranges[t.name] for t in io.present]
    ends = ([p.low for p in parts], [p.high for p in parts])
    if op.axis == len(io.y.shape) - 1:
        return Range(np.concatenate(ends[0]), np.concatenate(ends[1]))
    return Range(np.min(ends[0], axis=0), np.max(ends[1], axis=0))


def _reach(weights: Array, x: Range, io: Io, padded: bool) -> tuple[Array, Array]:
    """Return bounds of each product; a padded tap may also contribute nothing."""
    zero = io.x.q.zero_point
    ends = (weights * (x.low - zero), weights * (x.high - zero))
    low, high = np.minimum(*ends), np.maximum(*ends)
    return (np.minimum(low, 0), np.maximum(high, 0)) if padded else (low, high)


def _rescaled(
    op: Conv2D | DepthwiseConv2D | FullyConnected, io: Io, low: Array, high: Array
) -> Range:
    if io.x.dtype is DType.INT16:
        rows = op.wide_rows(io)
        wide = (int16_products.finish(end, rows, io.y, op.activation) for end in (low, high))
        return Range(*(end.astype(np.int64) for end in wide))
    bias = products.bias_values(io.optional(2), len(low)).astype(np.int64)
    if isinstance(op, FullyConnected):
        return Range(*(op.finish(io, bias + end).astype(np.int64) for end in (low, high)))
    mult = products.channel_multipliers(io.x, io.input(1), io.y, len(low))
    ends = (
        products.finish(bias + end, mult, io.y, op.activation, single=False).astype(np.int64)
        for end in (low, high)
    )
    return Range(*ends)


def _reshaped(io: Io, x: Range) -> Range:
    channels, wanted = io.x.shape[-1], io.y.shape[-1]
    if wanted % channels == 0:
        return Range(np.tile(x.low, wanted // channels), np.tile(x.high, wanted // channels))
    return Range(np.full(wanted, x.low.min()), np.full(wanted, x.high.max()))
