"""What the passes share that take channels away: which may go together, and the smaller graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgec.codegen import products
from edgec.codegen.binary import BinaryOp
from edgec.codegen.channel_sources import channel_sources
from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.fully_connected import FullyConnected
from edgec.codegen.registry import Io
from edgec.pipeline.graph import Array, DType, Graph, Op, Quant, Tensor

Masks = dict[str, Array]
"""Which channels of each tensor are taken away."""

Product = Conv2D | FullyConnected

Needed = Callable[[Product, Io, Array], Array]
"""(op, its ends, mask of its input) -> which of the input's channels the op cannot do without."""

Absorb = Callable[[Product, Io, Array], tuple[Array, Array]]
"""(op, its ends, mask of its input) -> int64 weights of the channels left, and bias."""


def sums_all_channels(op: Op, io: Io) -> bool:
    """Return whether an op multiplies every input channel by weights, in one group."""
    if isinstance(op, Conv2D):
        return io.x.dtype is not DType.FLOAT32 and io.input(1).shape[3] == io.x.shape[3]
    if isinstance(op, FullyConnected):
        return io.x.dtype is not DType.FLOAT32 and io.input(1).shape[1] == io.x.shape[-1]
    return False


def largest_masks(graph: Graph, wanted: Masks, needed: Needed) -> Masks:
    """Return the most of the wanted channels that can go: start from all, drop what must stay."""
    ends = {*graph.inputs, *graph.outputs}
    masks = {name: mask.copy() for name, mask in wanted.items() if name not in ends}
    _settle(graph, masks, needed)
    empty = [mask for mask in masks.values() if mask.all()]
    for mask in empty:  # one channel has to stay, or the tensor would be empty
        mask[0] = False
    if empty:
        _settle(graph, masks, needed)
    return masks


def _settle(graph: Graph, masks: Masks, needed: Needed) -> None:
    changed = True
    while changed:
        before = {name: mask.copy() for name, mask in masks.items()}
        for op in reversed(graph.ops):
            _restrict(op, Io.of(graph, op), masks, needed)
        fewer = len(masks) < len(before)
        changed = fewer or any((masks[name] != before[name]).any() for name in masks)


def _restrict(op: Op, io: Io, masks: Masks, needed: Needed) -> None:
    """Take from the masks what this op cannot do without."""
    if sums_all_channels(op, io) and isinstance(op, (Conv2D, FullyConnected)):
        mask = masks.get(io.x.name)
        if mask is not None and mask.any():
            mask &= ~needed(op, io, mask)
        if isinstance(op, FullyConnected) and op.keep_dims:
            masks.pop(io.y.name, None)
        return
    sources = channel_sources(op, io)
    if sources is None:
        for name in (*op.inputs, *op.outputs):
            masks.pop(name, None)
        return
    for tensor, source in zip(io.inputs, sources, strict=True):
        if tensor is not None and tensor.data is None:
            _link(masks, tensor, io.y, source)


def _link(masks: Masks, x: Tensor, y: Tensor, source: Array | None) -> None:
    """Linked channels of an input and the output go together."""
    if source is None:
        masks.pop(x.name, None)
        return
    gone = masks.get(y.name)
    mine = source >= 0
    mask = masks.get(x.name)
    if gone is not None:
        gone[mine] &= False if mask is None else mask[source[mine]]
    if mask is not None:
        stay = mine if gone is None else mine & ~gone
        mask[source[stay]] = False


def without_channels(graph: Graph, masks: Masks, absorb: Absorb) -> Graph:
    """Return the graph without the masked channels; `absorb` folds them into their readers."""
    tensors = dict(graph.tensors)
    for name, mask in masks.items():
        shape = (*tensors[name].shape[:-1], int((~mask).sum()))
        tensors[name] = replace(tensors[name], shape=shape)
    cut = _Cut(graph, masks, tensors, absorb)
    return graph.with_ops([cut.op(op, Io.of(graph, op)) for op in graph.ops], tensors)


@dataclass(frozen=True, slots=True)
class _Cut:
    graph: Graph
    masks: Mapping[str, Array]
    tensors: dict[str, Tensor]
    absorb: Absorb

    def kept(self, tensor: Tensor) -> Array:
        """Return which channels of a tensor stay."""
        mask = self.masks.get(tensor.name)
        return np.ones(tensor.shape[-1:] or 1, bool) if mask is None else ~mask

    def constant(self, name: str, dtype: DType, data: Array, quant: Quant | None) -> str:
        """Add a constant tensor and return its name."""
        data = np.ascontiguousarray(data, dtype.numpy)
        data.setflags(write=False)
        self.tensors[name] = Tensor(name, data.shape, dtype, quant, data)
        return name

    def op(self, op: Op, io: Io) -> Op:
        ins, outs = self.kept(io.x), self.kept(io.y)
        if isinstance(op, (Conv2D, FullyConnected)):
            if ins.all() and outs.all():
                return op
            rows, bias = io.input(1).values, products.bias_values(io.optional(2), len(outs))
            if not ins.all():
                rows, bias = self.absorb(op, io, ~ins)
            return self._product(op, io, rows[outs], bias[outs], outs)
        if isinstance(op, DepthwiseConv2D) and not outs.all():
            bias = products.bias_values(io.optional(2), len(outs))
            return self._product(op, io, io.input(1).values[..., outs], bias[outs], outs)
        if isinstance(op, BinaryOp) and not outs.all():
            return replace(op, inputs=tuple(self._operand(io, i, outs) for i in range(2)))
        return op

    def _product(
        self, op: Product | DepthwiseConv2D, io: Io, rows: Array, bias: Array, outs: Array
    ) -> Op:
        quant = _sliced(io.input(1).q, outs)
        weights = self.constant(f"{io.y.name}/weights", DType.INT8, rows, quant)
        narrow = io.x.dtype is DType.INT8 or getattr(op, "narrow_bias", False)
        kind = DType.INT32 if narrow else DType.INT64
        sums = self.constant(f"{io.y.name}/bias", kind, bias, None)
        return replace(op, inputs=(op.inputs[0], weights, sums))

    def _operand(self, io: Io, position: int, outs: Array) -> str:
        tensor = io.input(position)
        if tensor.data is None or tensor.shape[-1:] != outs.shape or len(outs) == 1:
            return tensor.name
        name = f"{io.y.name}/constant {position}"
        return self.constant(name, tensor.dtype, tensor.data[..., outs], tensor.quant)


def _sliced(quant: Quant, kept: Array) -> Quant:
    if not quant.per_channel:
        return quant
    scales = tuple(s for s, keep in zip(quant.scales, kept, strict=True) if keep)
    zero_points = tuple(z for z, keep in zip(quant.zero_points, kept, strict=True) if keep)
    return Quant(scales, zero_points, quant.axis)
