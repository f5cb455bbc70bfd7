"""Transposed convolutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import tensor_layers
from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.spatial import (
    MAX_WINDOW,
    Pair,
    Window,
    channels_last,
    read_pads,
    read_window,
)

L = tf_keras.layers


@importer("ConvTranspose")
def conv_transpose(builder: Builder, node: Node) -> None:
    """Import ConvTranspose as Conv2DTranspose, one a group."""
    value = builder.value(node)
    weight, bias = builder.constant(node, 1), builder.optional_constant(node, 2)
    groups = node.integer("group", 1)
    if weight.ndim != value.rank:
        raise Refusal(f"weight of {weight.ndim} axes for an input of {value.rank}")
    value, order = channels_last(builder, value)
    channels, filters = weight.shape[0], weight.shape[1] * groups
    if groups < 1 or channels != value.tensor.shape[-1] or channels % groups:
        raise Refusal(f"weight of shape {list(weight.shape)} in {groups} groups")
    if bias is not None and bias.shape != (filters,):
        raise Refusal(f"bias of shape {list(bias.shape)} for {filters} filters")
    if weight.ndim == 3:
        weight = weight[:, :, np.newaxis]
    plain = replace(node, attributes={**node.attributes, "auto_pad": "VALID"})
    kernel = list(weight.shape[2:])[4 - value.rank :]
    window = read_window(plain, kernel, (1, 1))
    geometry = _transposed_geometry(node, window, value.tensor.shape[1:3], value.rank - 2)
    weight = _dilated(weight, window)
    biases = [None] * groups if bias is None else np.split(bias, groups)
    inputs = [value.tensor]
    if groups > 1:
        lengths = [channels // groups] * groups
        inputs = builder.layer(tensor_layers.Split, value.tensor, lengths, 3, suffix="groups")
    tensors = [
        _upsample(builder, tensor, part, extra, window, geometry)
        for tensor, part, extra in zip(inputs, np.split(weight, groups), biases, strict=True)
    ]
    tensor = tensors[0]
    if groups > 1:
        tensor = builder.layer(L.Concatenate, tensors, suffix="join")
    builder.bind(node, builder.wrap(tensor, order))


def _transposed_geometry(node: Node, window: Window, sizes: Any, spatial: int) -> tuple[Pair, Pair]:
    """Return, for height and width, how much to cut before and how long the output is."""
    extra = node.ints("output_padding", [0] * spatial)
    shape = node.ints("output_shape", [])[-spatial:]
    mode = node.text("auto_pad", "NOTSET")
    declared = read_pads(node, spatial)
    begins, lengths = [], []
    for axis in (0, 1):
        index = axis + spatial - 2
        stride, extent, size = window.strides[axis], window.extent(axis), int(sizes[axis])
        padding = extra[index] if index >= 0 else 0
        full = (size - 1) * stride + extent + padding
        before, after = declared[axis]
        if shape and index >= 0:
            length = shape[index]
        elif mode in ("SAME_UPPER", "SAME_LOWER"):
            length = size * stride
        elif mode == "VALID":
            length, before = full, 0
        else:
            length = full - before - after
        if shape or mode.startswith("SAME"):
            total = max(full - length, 0)
            small = total // 2
            before = small if mode == "SAME_UPPER" else total - small
        if not 0 < length <= MAX_WINDOW or before < 0:
            raise Refusal(f"an output of {length} elements")
        begins.append(before)
        lengths.append(length)
    return (begins[0], begins[1]), (lengths[0], lengths[1])


def _dilated(weight: Array, window: Window) -> Array:
    """Write the dilation into the kernel as zeros, since Keras has none here."""
    if window.dilations == (1, 1):
        return weight
    height, width = window.extent(0), window.extent(1)
    if max(height, width) > 1024:
        raise Refusal(f"a dilated kernel of {height} by {width}")
    result = np.zeros((*weight.shape[:2], height, width), np.float32)
    result[:, :, :: window.dilations[0], :: window.dilations[1]] = weight
    return result


def _upsample(
    builder: Builder,
    tensor: Any,
    weight: Array,
    bias: Array | None,
    window: Window,
    geometry: tuple[Pair, Pair],
) -> Any:
    begins, lengths = geometry
    kernel = weight.shape[2:]
    sizes = tensor.shape[1:3]
    full = [(sizes[a] - 1) * window.strides[a] + kernel[a] for a in (0, 1)]
    same = all(
        kernel[a] >= window.strides[a]
        and lengths[a] == sizes[a] * window.strides[a]
        and begins[a] == (kernel[a] - window.strides[a]) // 2
        for a in (0, 1)
    )
    beyond = [max(begins[a] + lengths[a] - full[a], 0) for a in (0, 1)]
    if max(beyond[a] - window.strides[a] for a in (0, 1)) >= 0:
        raise Refusal(f"output padding {beyond} of at least the strides")
    tensor = builder.weighted(
        L.Conv2DTranspose,
        tensor,
        [weight.transpose(2, 3, 1, 0), *([] if bias is None else [bias])],
        weight.shape[1],
        kernel,
        strides=window.strides,
        padding="same" if same else "valid",
        output_padding=None if same else tuple(beyond),
        use_bias=bias is not None,
    )
    margins = [(begins[a], full[a] + beyond[a] - begins[a] - lengths[a]) for a in (0, 1)]
    if same or margins == [(0, 0), (0, 0)]:
        return tensor
    return builder.layer(L.Cropping2D, tensor, margins, suffix="crop")
