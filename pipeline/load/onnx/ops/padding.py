"""Padding."""

from __future__ import annotations

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import tensor_layers
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.ops.selection import cut, take
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.spatial import MAX_WINDOW
from edgec.pipeline.load.onnx.views import Value

_MODES = ("constant", "reflect", "edge", "wrap")


@importer("Pad")
def pad(builder: Builder, node: Node) -> None:
    """Import Pad with constant amounts; negative ones crop."""
    value = builder.value(node)
    mode = node.text("mode", "constant")
    if mode not in _MODES:
        raise Refusal(f"mode is {mode!r}, wanted one of {', '.join(_MODES)}")
    amounts = _amounts(builder, node, value.rank)
    crops = {
        axis: slice(max(-before, 0), value.shape[axis] - max(-after, 0))
        for axis, (before, after) in enumerate(amounts)
        if before < 0 or after < 0
    }
    value = cut(builder, value, crops)
    amounts = [(max(before, 0), max(after, 0)) for before, after in amounts]
    if any(map(any, amounts)):
        value = _pad(builder, node, value, amounts, mode)
    builder.bind(node, value)


def _amounts(builder: Builder, node: Node, rank: int) -> list[tuple[int, int]]:
    flat = [int(amount) for amount in builder.constant(node, 1).ravel()]
    given = builder.optional_constant(node, 3)
    axes = list(range(rank)) if given is None else [int(axis) for axis in given.ravel()]
    if len(flat) != 2 * len(axes) or any(not -rank <= axis < rank for axis in axes):
        raise Refusal(f"{len(flat)} amounts for axes {axes} of an input of {rank}")
    if any(abs(amount) > MAX_WINDOW for amount in flat):
        raise Refusal(f"amounts are {flat}, wanted at most {MAX_WINDOW}")
    amounts = [(0, 0)] * rank
    for index, axis in enumerate(axes):
        amounts[axis % rank] = flat[index], flat[index + len(axes)]
    return amounts


def _pad(
    builder: Builder, node: Node, value: Value, amounts: list[tuple[int, int]], mode: str
) -> Value:
    fits = all(max(amount) < size for amount, size in zip(amounts, value.shape, strict=True))
    if mode in ("edge", "wrap") or (mode == "reflect" and not fits):
        for axis, amount in enumerate(amounts):
            if any(amount):
                indices = np.pad(np.arange(value.shape[axis]), amount, mode=mode)  # type: ignore[call-overload]
                value = take(builder, value, axis, indices)
        return value
    fill = builder.optional_constant(node, 2)
    number = 0.0 if fill is None or not fill.size else float(fill.ravel()[0])
    if number != 0.0 and mode == "constant" and not np.isfinite(number):
        number = float(np.clip(number, np.finfo(np.float32).min, np.finfo(np.float32).max))
    value, order = builder.separated(value)
    pads = [(0, 0) if axis is None else amounts[axis] for axis in order]
    if builder.open_batch and any(pads[0]):
        raise BatchMixed
    spatial = len(pads) == 4 and not any(pads[0]) and not any(pads[3])
    if mode == "constant" and number == 0.0 and spatial:
        tensor = builder.layer(tf_keras.layers.ZeroPadding2D, value.tensor, pads[1:3])
    else:
        tensor = builder.layer(tensor_layers.Pad, value.tensor, pads, mode.upper(), number)
    nonnegative = value.nonnegative and number >= 0
    return builder.wrap(tensor, order, nonnegative=nonnegative, origin=value.origin)
