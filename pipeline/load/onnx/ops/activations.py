"""Activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import keras_layers
from edgec.pipeline.load.onnx.broadcasting import constant_layout
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.registry import Refusal, importer

L = tf_keras.layers
_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def _apply(
    builder: Builder, node: Node, kind: Any, *args: Any, nonnegative: bool = False, **kwargs: Any
) -> None:
    value = builder.value(node)
    tensor = builder.layer(kind, value.tensor, *args, **kwargs)
    builder.bind(node, builder.like(value, tensor, nonnegative=nonnegative))


@importer("Relu")
def relu(builder: Builder, node: Node) -> None:
    """Import Relu."""
    _apply(builder, node, L.ReLU, nonnegative=True)


@importer("LeakyRelu")
def leaky_relu(builder: Builder, node: Node) -> None:
    """Import LeakyRelu."""
    _apply(builder, node, L.LeakyReLU, alpha=node.number("alpha", 0.01))


@importer("Sigmoid")
def sigmoid(builder: Builder, node: Node) -> None:
    """Import Sigmoid."""
    _apply(builder, node, L.Activation, "sigmoid", nonnegative=True)


@importer("Tanh")
def tanh(builder: Builder, node: Node) -> None:
    """Import Tanh."""
    _apply(builder, node, L.Activation, "tanh")


@importer("Swish")
def swish(builder: Builder, node: Node) -> None:
    """Import Swish, which fusion also makes of x * Sigmoid(x)."""
    alpha = node.number("alpha", 1.0)
    if alpha == 1.0:
        _apply(builder, node, L.Activation, "swish")
    else:
        _apply(builder, node, keras_layers.ScaledSwish, alpha)


@importer("Elu")
def elu(builder: Builder, node: Node) -> None:
    """Import Elu."""
    _apply(builder, node, L.ELU, alpha=node.number("alpha", 1.0))


@importer("Selu")
def selu(builder: Builder, node: Node) -> None:
    """Import Selu."""
    alpha = node.number("alpha", _SELU_ALPHA)
    gamma = node.number("gamma", _SELU_GAMMA)
    if abs(alpha - _SELU_ALPHA) < 1e-6 and abs(gamma - _SELU_GAMMA) < 1e-6:
        _apply(builder, node, L.Activation, "selu")
    else:
        _apply(builder, node, keras_layers.ScaledElu, alpha, gamma)


@importer("HardSigmoid")
def hard_sigmoid(builder: Builder, node: Node) -> None:
    """Import HardSigmoid."""
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    _apply(builder, node, keras_layers.HardSigmoid, alpha, beta, nonnegative=True)


@importer("HardSwish")
def hard_swish(builder: Builder, node: Node) -> None:
    """Import HardSwish."""
    _apply(builder, node, keras_layers.HardSwish)


@importer("Gelu")
def gelu(builder: Builder, node: Node) -> None:
    """Import Gelu."""
    _apply(builder, node, keras_layers.Gelu, node.text("approximate", "none") == "tanh")


@importer("Clip")
def clip(builder: Builder, node: Node) -> None:
    """Import Clip, as ReLU or ReLU6 where it is one."""
    limits: list[float | None] = []
    for index in (1, 2):
        bound = builder.optional_constant(node, index)
        if bound is not None and bound.size != 1:
            raise Refusal(f"input {index} has {bound.size} elements, wanted 1")
        number = None if bound is None else float(bound.ravel()[0])
        extreme = float(np.finfo(np.float32).max)
        limits.append(None if number is None or abs(number) >= extreme else number)
    low, high = limits
    if low is not None and high is not None and low > high:
        low = high
    if low == 0.0 and (high is None or high > 0):
        _apply(builder, node, L.ReLU, max_value=high, nonnegative=True)
    else:
        nonnegative = low is not None and low >= 0
        _apply(builder, node, keras_layers.Clip, low, high, nonnegative=nonnegative)


@importer("PRelu")
def prelu(builder: Builder, node: Node) -> None:
    """Import PRelu, sharing slopes along the axes where they are constant."""
    slope = builder.constant(node, 1)
    value, order = builder.separated(builder.value(node))
    if slope.ndim > value.rank:
        raise Refusal(f"slope of {slope.ndim} axes for an input of {value.rank}")
    layout = constant_layout(slope, value.rank, order)
    if layout.shape[0] != 1:
        raise Refusal("slope varies along the batch axis")
    shape = tuple(value.tensor.shape)
    # Keras wants an axis shared or whole, and at least one slope for each channel.
    full = [shape[-1] if axis == len(shape) - 1 else size for axis, size in enumerate(layout.shape)]
    shared = [axis for axis in range(1, len(shape)) if full[axis] == 1 and shape[axis] != 1]
    if any(full[axis] not in (1, shape[axis]) for axis in range(1, len(shape))):
        raise Refusal(f"slope of shape {list(slope.shape)} does not fit {list(value.shape)}")
    weight = np.broadcast_to(layout, [1, *full[1:]])[0]
    tensor = builder.weighted(L.PReLU, value.tensor, [weight], shared_axes=shared or None)
    builder.bind(node, builder.like(value, tensor))


@importer("Softmax", "LogSoftmax")
def softmax(builder: Builder, node: Node) -> None:
    """Import Softmax and LogSoftmax along any axis but the batch."""
    value = builder.value(node)
    axis = node.integer("axis", -1) % value.rank
    value, order = builder.separated(value)
    position = order.index(axis)
    if builder.open_batch and position == 0:
        raise BatchMixed
    if node.op == "Softmax":
        tensor = builder.layer(L.Softmax, value.tensor, axis=position)
    else:
        tensor = builder.layer(keras_layers.LogSoftmax, value.tensor, position)
    builder.bind(node, builder.like(value, tensor, nonnegative=node.op == "Softmax"))
