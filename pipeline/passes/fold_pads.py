"""Give zero padding to the convolution that reads it, whose window reaches over the border."""

from __future__ import annotations

from dataclasses import replace

from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.pad import Pad
from edgec.codegen.window import Window
from edgec.pipeline.graph import Graph, Op
from edgec.targets.profile import Target

MOST = 1024
"""Padding beyond this stays an op: windows keep theirs in 16 bits."""


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with every PAD that one convolution reads made part of its window.

    Both pad with real zero: the tensor's zero point, which input and output of the PAD share.
    """
    readers = graph.consumers()
    pads = {op.outputs[0]: op for op in graph.ops if isinstance(op, Pad)}
    folded: dict[str, Pad] = {}
    ops: list[Op] = []
    for op in graph.ops:
        pad = pads.get(op.inputs[0]) if isinstance(op, (Conv2D, DepthwiseConv2D)) else None
        if pad is None or not _foldable(graph, pad, readers[pad.outputs[0]]):
            ops.append(op)
            continue
        assert isinstance(op, (Conv2D, DepthwiseConv2D))
        folded[pad.outputs[0]] = pad
        ops.append(
            replace(op, inputs=(pad.inputs[0], *op.inputs[1:]), window=_wider(op.window, pad))
        )
    kept = [op for op in ops if op.outputs[0] not in folded]
    return graph.with_ops(kept) if folded else graph


def _foldable(graph: Graph, pad: Pad, readers: list[Op]) -> bool:
    name = pad.outputs[0]
    whole = all(amounts == (0, 0) for amounts in (pad.paddings[0], *pad.paddings[3:]))
    same = graph[pad.inputs[0]].quant == graph[name].quant
    small = max(n for amounts in pad.paddings for n in amounts) <= MOST
    return len(readers) == 1 and whole and same and small and name not in graph.outputs


def _wider(window: Window, pad: Pad) -> Window:
    (top, bottom), (left, right) = pad.paddings[1:3]
    return replace(
        window,
        before=(window.before[0] + top, window.before[1] + left),
        after=(window.after[0] + bottom, window.after[1] + right),
    )
