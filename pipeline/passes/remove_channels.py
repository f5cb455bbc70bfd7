"""Remove channels that are constant, or that nobody multiplies by anything but zero.

A constant channel is folded into the bias of the layers that read it, so that every accumulator
keeps its exact value. Ops that work channel by channel link channels of their ends: those go
together or stay together. Ranges come from interval arithmetic, so what is removed holds for every
input, not only for those that were tried.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen import products
from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ranges import value_ranges
from edgec.codegen.registry import Io
from edgec.pipeline.graph import Array, Graph
from edgec.pipeline.passes.channel_removal import Product, largest_masks, without_channels
from edgec.targets.profile import Target


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph without the channels that can go."""
    ranges = value_ranges(graph)

    def needed(op: Product, io: Io, mask: Array) -> Array:
        # under padding the constant must be the zero point: elsewhere the border would differ
        found = ranges[io.x.name]
        padded = isinstance(op, Conv2D) and op.window.padded
        foldable = found.constant & ((found.low == io.x.q.zero_point) if padded else True)
        weights = io.input(1).values
        return np.asarray(weights.any(axis=tuple(range(weights.ndim - 1))) & ~foldable)

    def absorbed(op: Product, io: Io, mask: Array) -> tuple[Array, Array]:
        rows = io.input(1).values.astype(np.int64)
        # what nobody multiplies counts as the zero point
        constant = ranges[io.x.name].low[mask] - io.x.q.zero_point
        sums = (rows[..., mask] * constant).reshape(len(rows), -1).sum(axis=1)
        return rows[..., ~mask], products.bias_values(io.optional(2), len(rows)) + sums

    wanted = {
        name: np.ones(tensor.shape[-1], bool)
        for name, tensor in graph.tensors.items()
        if name in ranges and tensor.data is None and not tensor.variable
    }
    masks = largest_masks(graph, wanted, needed)
    if not any(mask.any() for mask in masks.values()):
        return graph
    return without_channels(graph, masks, absorbed)
