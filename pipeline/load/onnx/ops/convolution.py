"""Convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import tensor_layers
from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.spatial import (
    Window,
    channels_last,
    check_fit,
    read_window,
    zero_padded,
)

L = tf_keras.layers


@importer("Conv")
def conv(builder: Builder, node: Node) -> None:
    """Import Conv as Conv2D, or as DepthwiseConv2D with one group a channel."""
    value = builder.value(node)
    weight = builder.constant(node, 1)
    bias = builder.optional_constant(node, 2)
    groups = node.integer("group", 1)
    if weight.ndim != value.rank:
        raise Refusal(f"weight of {weight.ndim} axes for an input of {value.rank}")
    value, order = channels_last(builder, value)
    _check_channels(weight, bias, value.tensor.shape[-1], groups)
    if weight.ndim == 3:
        weight = weight[:, :, np.newaxis]
    sizes = value.tensor.shape[1], value.tensor.shape[2]
    kernel = list(weight.shape[2:])[4 - value.rank :]
    if node.ints("kernel_shape", kernel) != kernel:
        raise Refusal(f"kernel_shape is {node.ints('kernel_shape', kernel)}, the weight's {kernel}")
    window = read_window(node, kernel, sizes)
    check_fit(window, sizes)
    tensor = _convolve(builder, value.tensor, weight, bias, groups, window)
    builder.bind(node, builder.wrap(tensor, order))


def _check_channels(weight: Array, bias: Array | None, channels: int, groups: int) -> None:
    filters, depth = weight.shape[:2]
    if groups < 1 or depth * groups != channels or filters % groups or not filters:
        raise Refusal(
            f"weight of shape {list(weight.shape)} in {groups} groups for {channels} channels"
        )
    if bias is not None and bias.shape != (filters,):
        raise Refusal(f"bias of shape {list(bias.shape)} for {filters} filters")


def _convolve(
    builder: Builder,
    tensor: Any,
    weight: Array,
    bias: Array | None,
    groups: int,
    window: Window,
) -> Any:
    tensor, padding = zero_padded(builder, tensor, window)
    channels, filters = tensor.shape[-1], weight.shape[0]
    depthwise = groups == channels and groups > 1
    strides, slicing = _keras_strides(window, tensor.shape, padding, depthwise)
    biases = [] if bias is None else [bias]
    options: dict[str, Any] = {
        "strides": strides,
        "padding": padding,
        "dilation_rate": window.dilations,
        "use_bias": bias is not None,
    }
    if depthwise:
        # ONNX orders filters by channel, then multiplier, as Keras does.
        kernel = weight.reshape(channels, filters // channels, *window.kernel)
        weights = [kernel.transpose(2, 3, 0, 1), *biases]
        multiplier = filters // channels
        tensor = builder.weighted(
            L.DepthwiseConv2D,
            tensor,
            weights,
            window.kernel,
            depth_multiplier=multiplier,
            **options,
        )
    else:
        weights = [weight.transpose(2, 3, 1, 0), *biases]
        tensor = builder.weighted(
            L.Conv2D, tensor, weights, filters, window.kernel, groups=groups, **options
        )
    if slicing:
        begin, step = slicing
        tensor = builder.layer(
            tensor_layers.Slice, tensor, begin, [None] * 4, step, suffix="stride"
        )
    return tensor


def _keras_strides(
    window: Window, shape: Any, padding: str, depthwise: bool
) -> tuple[tuple[int, int], tuple[list[int | None], list[int]] | None]:
    """Return the strides for Keras, and begin and step of a slice where it cannot do them.

    Keras refuses strides together with dilation, and unequal strides of depthwise kernels.
    """
    height, width = window.strides
    dilated = max(window.dilations) > 1
    if depthwise and shape[1] == 1 and window.kernel[0] == 1 and not dilated:
        return (width, width), None
    if (max(window.strides) == 1) or not (dilated or (depthwise and height != width)):
        return window.strides, None
    if padding == "same":
        # Without the stride, "same" pads more; the strided windows start that much later.
        begin: list[int | None] = [
            None,
            *(_late_start(window, axis, shape) for axis in (0, 1)),
            None,
        ]
    else:
        begin = [None] * 4
    return (1, 1), (begin, [1, height, width, 1])


def _late_start(window: Window, axis: int, shape: Any) -> int:
    size = int(shape[axis + 1])
    unstrided = Window(window.kernel, (1, 1), window.dilations, window.pads)
    return unstrided.same_pads(axis, size)[0] - window.same_pads(axis, size)[0]
