"""Remove channels that are constant, or that nobody multiplies by anything but zero.

A constant channel is folded into the bias of the layers that read it, so that every accumulator
keeps its exact value. Depthwise layers, pools and sums link channels of their ends: those go
together or stay together. Ranges come from interval arithmetic, so what is removed holds for every
input, not only for those that were tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgec.codegen import products
from edgec.codegen.ops.add import Add
from edgec.codegen.ops.average_pool_2d import AveragePool2D
from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.fully_connected import FullyConnected
from edgec.codegen.ops.max_pool_2d import MaxPool2D
from edgec.codegen.ops.reshape import Reshape
from edgec.codegen.ranges import Range, value_ranges
from edgec.codegen.registry import Io
from edgec.pipeline.graph import Array, DType, Graph, Op, Quant, Tensor
from edgec.targets.profile import Target

Masks = dict[str, Array]
"""Which channels of each tensor are removed."""


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph without the channels that can go."""
    masks = _removable(graph, value_ranges(graph))
    if not any(mask.any() for mask in masks.values()):
        return graph
    return _rewritten(graph, masks, value_ranges(graph))


def _removable(graph: Graph, ranges: Mapping[str, Range]) -> Masks:
    """Return the largest set of channels that can go: start from all, drop what must stay."""
    masks = {
        name: np.ones(tensor.shape[-1], bool)
        for name, tensor in graph.tensors.items()
        if name in ranges and tensor.data is None and not tensor.variable
    }
    for name in (*graph.inputs, *graph.outputs):
        masks.pop(name, None)
    _settle(graph, masks, ranges)
    empty = [mask for mask in masks.values() if mask.all()]
    for mask in empty:  # one channel has to stay, or the tensor would be empty
        mask[0] = False
    if empty:
        _settle(graph, masks, ranges)
    return masks


def _settle(graph: Graph, masks: Masks, ranges: Mapping[str, Range]) -> None:
    """Take from the masks what ops cannot do without, until every op has what it needs."""
    changed = True
    while changed:
        before = {name: mask.copy() for name, mask in masks.items()}
        for op in reversed(graph.ops):
            _restrict(op, Io.of(graph, op), masks, ranges)
        changed = any((masks[name] != before[name]).any() for name in masks)


def _restrict(op: Op, io: Io, masks: Masks, ranges: Mapping[str, Range]) -> None:
    """Take from the masks what this op cannot do without."""
    x, y = masks.get(io.x.name), masks.get(io.y.name)
    if isinstance(op, Conv2D) and io.input(1).shape[3] == io.x.shape[3]:
        used = io.input(1).values.any(axis=(0, 1, 2))
        _keep(x, used & ~_foldable(io, ranges, op.window.padded))
    elif isinstance(op, FullyConnected) and io.input(1).shape[1] == io.x.shape[-1]:
        used = io.input(1).values.any(axis=0)
        _keep(x, used & ~_foldable(io, ranges, False))
        if op.keep_dims:
            _keep(y, np.ones(io.y.shape[-1], bool))
    elif _is_per_channel(op, io):
        _link([(x, io.x.shape[3]), (y, io.y.shape[3])])
    elif isinstance(op, Add) and io.x.shape == io.input(1).shape:
        ends = (io.x, io.input(1), io.y)
        _link([(masks.get(t.name), t.shape[-1]) for t in ends])
    elif isinstance(op, Reshape) and io.y.size == io.y.shape[-1] and x is not None:
        repeat = io.y.shape[-1] // io.x.shape[-1]
        if y is None:
            _keep(x, np.ones(len(x), bool))
        else:
            both = x & y.reshape(repeat, -1).all(axis=0)
            x[:], y[:] = both, np.tile(both, repeat)
    else:
        for name in (*op.inputs, *op.outputs):
            _keep(masks.get(name), np.ones(1, bool))


def _is_per_channel(op: Op, io: Io) -> bool:
    """Return whether each channel of the output is made of the same channel of the input alone."""
    if isinstance(op, DepthwiseConv2D):
        return io.x.shape[3] == io.y.shape[3]
    return isinstance(op, (AveragePool2D, MaxPool2D)) and io.x.dtype is DType.INT8


def _foldable(io: Io, ranges: Mapping[str, Range], padded: bool) -> Array:
    """Return which input channels are constants that a bias can take up.

    Under padding the constant must be the zero point: elsewhere the border would differ.
    """
    found = ranges[io.x.name]
    return found.constant & ((found.low == io.x.q.zero_point) if padded else True)


def _keep(mask: Array | None, needed: Array) -> None:
    if mask is not None:
        mask &= ~needed


def _link(ends: list[tuple[Array | None, int]]) -> None:
    """Channels of linked tensors go together: intersect their masks."""
    together = np.ones(ends[0][1], bool)
    for mask, _ in ends:
        together &= np.zeros(1, bool) if mask is None else mask
    for mask, _ in ends:
        if mask is not None:
            mask[:] = together


@dataclass(slots=True)
class _Rewriter:
    graph: Graph
    masks: Masks
    ranges: Mapping[str, Range]
    tensors: dict[str, Tensor]

    def kept(self, tensor: Tensor) -> Array:
        """Return which channels of a tensor stay."""
        mask = self.masks.get(tensor.name)
        return np.ones(tensor.shape[-1], bool) if mask is None else ~mask

    def constant(self, name: str, like: Tensor, data: Array, quant: Quant | None) -> str:
        """Add a constant tensor and return its name."""
        data = np.ascontiguousarray(data, like.dtype.numpy)
        data.setflags(write=False)
        self.tensors[name] = Tensor(name, data.shape, like.dtype, quant, data)
        return name

    def bias(self, op: Op, io: Io, bias: Array) -> str:
        name = f"{io.y.name}/bias"
        bias = np.ascontiguousarray(bias, np.int32)
        bias.setflags(write=False)
        self.tensors[name] = Tensor(name, bias.shape, DType.INT32, None, bias)
        return name


def _rewritten(graph: Graph, masks: Masks, ranges: Mapping[str, Range]) -> Graph:
    tensors = dict(graph.tensors)
    for name, mask in masks.items():
        if mask.any():
            tensor = tensors[name]
            shape = (*tensor.shape[:-1], int((~mask).sum()))
            tensors[name] = replace(tensor, shape=shape)
    rewriter = _Rewriter(graph, masks, ranges, tensors)
    ops = [_rewrite(op, Io.of(graph, op), rewriter) for op in graph.ops]
    return graph.with_ops(ops, tensors)


def _rewrite(op: Op, io: Io, r: _Rewriter) -> Op:
    ins, outs = r.kept(io.x), r.kept(io.y)
    if ins.all() and outs.all():
        return op
    if isinstance(op, (Conv2D, FullyConnected)):
        weights = io.input(1)
        rows = weights.values
        gone = rows[..., ~ins].astype(np.int64) * (
            r.ranges[io.x.name].low[~ins] - io.x.q.zero_point
        )
        bias = products.bias_values(io.optional(2), len(rows)).astype(np.int64)
        bias = bias + gone.reshape(len(rows), -1).sum(axis=1)
        name = r.constant(
            f"{io.y.name}/weights", weights, rows[..., ins][outs], _sliced(weights.q, outs)
        )
        return replace(op, inputs=(op.inputs[0], name, r.bias(op, io, bias[outs])))
    if isinstance(op, DepthwiseConv2D):
        weights = io.input(1)
        bias = products.bias_values(io.optional(2), len(outs)).astype(np.int64)
        name = r.constant(
            f"{io.y.name}/weights", weights, weights.values[..., outs], _sliced(weights.q, outs)
        )
        return replace(op, inputs=(op.inputs[0], name, r.bias(op, io, bias[outs])))
    return op


def _sliced(quant: Quant, kept: Array) -> Quant:
    if not quant.per_channel:
        return quant
    pairs = [p for p, keep in zip(zip(quant.scales, quant.zero_points, strict=True), kept,
                                  strict=True) if keep]  # fmt: skip
    return Quant(tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), quant.axis)
