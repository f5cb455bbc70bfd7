"""Give zero padding to the convolution that reads it, whose window reaches over the border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.pad import Pad
from edgec.codegen.ops.padv2 import PadV2
from edgec.codegen.window import Window
from edgec.pipeline.graph import Graph, Op
from edgec.targets.profile import Target

Padding = Pad | PadV2

MOST = 1024
"""Padding beyond this stays an op: windows keep theirs in 16 bits."""


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with every PAD that only convolutions read made part of their windows.

    Both pad with real zero: the tensor's zero point, which input and output of the PAD share. A
    PADV2 that pads with that value is one too.
    """
    readers = graph.consumers()
    folded: dict[str, Padding] = {}
    for op in graph.ops:
        if isinstance(op, (Pad, PadV2)) and _foldable(graph, op, readers.get(op.outputs[0], [])):
            folded[op.outputs[0]] = op
    if not folded:
        return graph
    ops = [_reading_before(op, folded) for op in graph.ops]
    return graph.with_ops(op for op in ops if op.outputs[0] not in folded)


def _foldable(graph: Graph, pad: Padding, readers: list[Op]) -> bool:
    name = pad.outputs[0]
    if len(pad.paddings) != 4 or name in graph.outputs:
        return False
    whole = all(amounts == (0, 0) for amounts in (pad.paddings[0], pad.paddings[3]))
    same = graph[pad.inputs[0]].quant == graph[name].quant
    small = max(n for amounts in pad.paddings for n in amounts) <= MOST
    alone = all(
        isinstance(op, (Conv2D, DepthwiseConv2D)) and op.inputs[0] == name for op in readers
    )
    return bool(readers) and alone and whole and same and small and _is_zero(graph, pad)


def _is_zero(graph: Graph, pad: Padding) -> bool:
    """Return whether the padding is real zero."""
    if isinstance(pad, Pad):
        return True
    value, quant = graph[pad.inputs[2]].data, graph[pad.outputs[0]].quant
    return value is not None and value.item() == (quant.zero_point if quant else 0)


def _reading_before(op: Op, folded: Mapping[str, Padding]) -> Op:
    """Return a convolution that pads by itself what a folded op would have padded."""
    while isinstance(op, (Conv2D, DepthwiseConv2D)) and op.inputs[0] in folded:
        pad = folded[op.inputs[0]]
        op = replace(op, inputs=(pad.inputs[0], *op.inputs[1:]), window=_wider(op.window, pad))
    return op


def _wider(window: Window, pad: Padding) -> Window:
    (top, bottom), (left, right) = pad.paddings[1:3]
    return replace(
        window,
        before=(window.before[0] + top, window.before[1] + left),
        after=(window.after[0] + bottom, window.after[1] + right),
    )
