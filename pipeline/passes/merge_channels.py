"""Compute channels that are always equal only once.

Two channels are equal where they are made of equal channels in the same way: equal weights, bias
and multiplier, or the same function. The layer that reads both multiplies one of them by the sum
of their weights, as long as that is an int8, so that every accumulator keeps its exact value.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from edgec.codegen import products
from edgec.codegen.channel_sources import Sources, channel_sources
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.fully_connected import FullyConnected
from edgec.codegen.registry import Io
from edgec.pipeline.graph import Array, DType, Graph, Op, Rounding
from edgec.pipeline.passes.channel_removal import (
    Product,
    largest_masks,
    sums_all_channels,
    without_channels,
)
from edgec.targets.profile import Target

Firsts = dict[str, Array]
"""For each channel of a tensor, the first channel that always has the same values."""


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph without channels that repeat an earlier one, as far as readers allow."""
    firsts = equal_channels(graph)

    def summed(io: Io, mask: Array) -> tuple[Array, Array]:
        """Return the weights with columns added up, and which of them would leave int8."""
        rows = io.input(1).values.astype(np.int64)
        beyond = np.zeros(len(mask), bool)
        for channel in np.flatnonzero(mask):
            first = firsts[io.x.name][channel]
            total = rows[..., first] + rows[..., channel]
            if total.min() < -128 or total.max() > 127:
                beyond[channel] = True
            else:
                rows[..., first] = total
        return rows, beyond

    def needed(op: Product, io: Io, mask: Array) -> Array:
        return summed(io, mask)[1]

    def absorbed(op: Product, io: Io, mask: Array) -> tuple[Array, Array]:
        rows, _ = summed(io, mask)
        return rows[..., ~mask], products.bias_values(io.optional(2), len(rows))

    wanted = {name: first != np.arange(len(first)) for name, first in firsts.items()}
    masks = largest_masks(graph, wanted, needed)
    if not any(mask.any() for mask in masks.values()):
        return graph
    return without_channels(graph, masks, absorbed)


def equal_channels(graph: Graph) -> Firsts:
    """Return which channels of each computed int8 tensor are equal whatever the input is."""
    firsts: Firsts = {}
    for tensor in graph.tensors.values():
        if tensor.dtype is DType.INT8 and tensor.shape and tensor.data is None:
            firsts[tensor.name] = np.arange(tensor.shape[-1])
    for op in graph.ops:
        io = Io.of(graph, op)
        if len(io.outputs) != 1 or io.y.name not in firsts:
            continue
        sources = channel_sources(op, io)
        if sums_all_channels(op, io):
            keys = _product_keys(op, io, firsts[io.x.name])
        elif sources is not None:
            keys = _channel_keys(op, io, sources, firsts)
        else:
            continue
        seen: dict[Hashable, int] = {}
        firsts[io.y.name] = np.array([seen.setdefault(key, i) for i, key in enumerate(keys)])
    return firsts


def _product_keys(op: Op, io: Io, first: Array) -> list[Hashable]:
    """Return what decides on each output of a layer that multiplies all channels."""
    rows = io.input(1).values.astype(np.int64)
    merged = np.zeros_like(rows)
    for channel, representative in enumerate(first):
        merged[..., representative] += rows[..., channel]
    if isinstance(op, FullyConnected) and op.rounding is Rounding.TFLITE:
        multipliers = op.scales(io)[:, None]
    elif isinstance(op, FullyConnected):
        multipliers = op.multipliers(io)
    else:
        multipliers = products.channel_multipliers(io.x, io.input(1), io.y, len(rows))
    bias = products.bias_values(io.optional(2), len(rows))
    return [
        (row.tobytes(), int(b), *map(float, m))
        for row, b, m in zip(merged, bias, multipliers, strict=True)
    ]


def _channel_keys(op: Op, io: Io, sources: Sources, firsts: Firsts) -> list[Hashable]:
    """Return what decides on each output channel of an op that works channel by channel."""
    channels = io.y.shape[-1]
    parts: list[list[Hashable]] = []
    for tensor, source in zip(io.inputs, sources, strict=True):
        if tensor is None:
            continue
        if source is not None and tensor.data is None:
            first = firsts[tensor.name]
            parts.append([int(first[c]) if c >= 0 else -1 for c in source])
        elif source is not None or tensor.data is None or isinstance(op, DepthwiseConv2D):
            continue
        elif tensor.shape[-1:] == (channels,):
            parts.append([tensor.data[..., c].tobytes() for c in range(channels)])
    if isinstance(op, DepthwiseConv2D):
        weights = io.input(1)
        multipliers = products.channel_multipliers(io.x, weights, io.y, channels)
        bias = products.bias_values(io.optional(2), channels)
        parts.append([weights.values[..., c].tobytes() for c in range(channels)])
        parts.append([(int(bias[c]), *map(int, multipliers[c])) for c in range(channels)])
    if io.x.shape[-1] < channels and not isinstance(op, DepthwiseConv2D):
        # a view that makes channels of pixels: those of other pixels are others
        parts.append([c // io.x.shape[-1] for c in range(channels)])
    return list(zip(*parts, strict=True)) if parts else list(range(channels))
