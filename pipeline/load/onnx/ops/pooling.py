"""Pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import keras_layers, tensor_layers
from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.spatial import (
    Pair,
    Window,
    channels_last,
    check_fit,
    read_window,
    zero_padded,
)
from edgec.pipeline.load.onnx.views import Value

L = tf_keras.layers


def _window(builder: Builder, node: Node) -> tuple[Value, list[int | None], Window]:
    value, order = channels_last(builder, builder.value(node))
    sizes = value.tensor.shape[1], value.tensor.shape[2]
    kernel = node.ints("kernel_shape", [])
    if len(kernel) != value.rank - 2:
        raise Refusal(f"kernel_shape is {kernel} for an input of {value.rank} axes")
    window = read_window(node, kernel, sizes, ceil=bool(node.integer("ceil_mode", 0)))
    check_fit(window, sizes)
    return value, order, window


@importer("MaxPool")
def max_pool(builder: Builder, node: Node) -> None:
    """Import MaxPool."""
    if builder.wanted(node, 1):
        raise Refusal("the indices are used, wanted only the maxima")
    value, order, window = _window(builder, node)
    if max(window.dilations) > 1:
        raise Refusal(f"dilated pooling ({list(window.dilations)}), wanted dilations of 1")
    tensor, padding = _padded_for_max(builder, value, window)
    tensor = builder.layer(
        L.MaxPooling2D, tensor, window.kernel, strides=window.strides, padding=padding
    )
    builder.bind(node, builder.wrap(tensor, order, nonnegative=value.nonnegative))


def _padded_for_max(builder: Builder, value: Value, window: Window) -> tuple[Any, str]:
    """Pad so that no maximum changes."""
    if window.unpadded or value.nonnegative or window.is_same(value.tensor.shape[1:3]):
        return zero_padded(builder, value.tensor, window)
    pads = [(0, 0), *window.pads, (0, 0)]
    if all(
        2 * pad <= window.kernel[axis] and pad <= value.tensor.shape[axis + 1]
        for axis in (0, 1)
        for pad in window.pads[axis]
    ):
        # Mirrored elements lie in the same window as their originals, and unlike the lowest float
        # they do not stretch the range of a quantised tensor.
        return builder.layer(
            tensor_layers.Pad, value.tensor, pads, "SYMMETRIC", 0.0, suffix="pad"
        ), "valid"
    lowest = float(np.finfo(np.float32).min)
    return builder.layer(
        tensor_layers.Pad, value.tensor, pads, "CONSTANT", lowest, suffix="pad"
    ), "valid"


@importer("AveragePool")
def average_pool(builder: Builder, node: Node) -> None:
    """Import AveragePool, correcting the divisor where Keras counts other elements."""
    value, order, window = _window(builder, node)
    if max(window.dilations) > 1:
        raise Refusal(f"dilated pooling ({list(window.dilations)}), wanted dilations of 1")
    tensor = value.tensor
    sizes = tensor.shape[1], tensor.shape[2]
    padding, correction = "valid", None
    if window.is_same(sizes) and not node.integer("count_include_pad", 0):
        padding = "valid" if window.unpadded else "same"
    else:
        if not window.unpadded:
            tensor = builder.layer(L.ZeroPadding2D, tensor, window.pads, suffix="pad")
        correction = _correction(node, window, sizes)
    tensor = builder.layer(
        L.AveragePooling2D, tensor, window.kernel, strides=window.strides, padding=padding
    )
    if correction is not None:
        tensor = builder.weighted(
            keras_layers.ConstantOperand,
            tensor,
            [correction],
            "multiply",
            correction.shape,
            first=False,
            suffix="divisor",
        )
    builder.bind(node, builder.wrap(tensor, order, nonnegative=value.nonnegative))


def _correction(node: Node, window: Window, sizes: Pair) -> Any:
    """What to multiply averages over whole windows with, of shape (1, height, width, 1), or None.

    Elements of the input count; the padding the node declares counts if it says so; what ceil_mode
    adds behind never counts.
    """
    spatial = len(node.ints("kernel_shape", []))
    counts = []
    for axis in (0, 1):
        before, after = window.pads[axis]
        mask = np.zeros(before + sizes[axis] + after)
        mask[before : before + sizes[axis]] = 1
        if node.integer("count_include_pad", 0):
            flat = node.ints("pads", [0] * (2 * spatial))
            auto = node.text("auto_pad", "NOTSET") != "NOTSET"
            index = axis + spatial - 2
            declared = after if auto else 0 if index < 0 else flat[index + spatial]
            mask[: before + sizes[axis] + declared] = 1
        steps = range(0, len(mask) - window.kernel[axis] + 1, window.strides[axis])
        counts.append(
            np.array([mask[start : start + window.kernel[axis]].sum() for start in steps])
        )
    grid = np.outer(counts[0], counts[1])
    whole = window.kernel[0] * window.kernel[1]
    if (grid == whole).all():
        return None
    return (whole / grid)[np.newaxis, :, :, np.newaxis].astype(np.float32)


@importer("GlobalAveragePool", "GlobalMaxPool")
def global_pool(builder: Builder, node: Node) -> None:
    """Import pooling over all of space."""
    value, order = channels_last(builder, builder.value(node))
    average = node.op == "GlobalAveragePool"
    kind = L.GlobalAveragePooling2D if average else L.GlobalMaxPooling2D
    tensor = builder.layer(kind, value.tensor, keepdims=True)
    builder.bind(node, builder.wrap(tensor, order, nonnegative=value.nonnegative))
