"""What one tf_keras layer costs: parameters and multiply-accumulates of one inference."""

from __future__ import annotations

import math
from typing import Any


def layer_summary(layer: Any) -> dict[str, Any]:
    """Return name, type, output shape (batch 1), parameters and MACs of a built layer."""
    shape = _shape(layer.output_shape)
    return {
        "name": layer.name,
        "type": type(layer).__name__,
        "output_shape": shape,
        "parameters": sum(_size(weight) for weight in layer.weights),
        "macs": _macs(layer, shape) * len(layer.inbound_nodes),
    }


def _shape(shape: Any) -> list[int]:
    if isinstance(shape, list):
        shape = shape[0]
    return [1, *(int(size) for size in shape[1:])]


def _size(weight: Any) -> int:
    return math.prod(int(size) for size in weight.shape)


def _macs(layer: Any, output: list[int]) -> int:
    """Count one per weight use; ops without weights, and adding a bias, count nothing."""
    kind = type(layer).__name__
    places = math.prod(output[1:-1])
    inputs = _shape(layer.input_shape)
    if kind in ("Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D"):
        kernel = layer.depthwise_kernel if kind.startswith("Depthwise") else layer.kernel
        return places * _size(kernel)
    if kind in ("SeparableConv1D", "SeparableConv2D"):
        both = (layer.depthwise_kernel, layer.pointwise_kernel)
        return places * sum(_size(kernel) for kernel in both)
    if kind in ("Conv1DTranspose", "Conv2DTranspose"):
        return math.prod(inputs[1:-1]) * _size(layer.kernel)
    if kind == "Dense":
        return places * _size(layer.kernel)
    if kind in ("LSTM", "GRU", "SimpleRNN", "Bidirectional"):
        kernels = [weight for weight in layer.weights if "bias" not in weight.name]
        return inputs[1] * sum(_size(kernel) for kernel in kernels)
    if kind == "TimeDistributed":
        inner = layer.layer
        kernels = [weight for weight in inner.weights if "kernel" in weight.name]
        spread = math.prod(output[1:-1]) if type(inner).__name__ != "Flatten" else 0
        return spread * sum(_size(kernel) for kernel in kernels)
    return 0
