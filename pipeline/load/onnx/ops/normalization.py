"""Normalisation layers."""

from __future__ import annotations

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import keras_layers, views
from edgec.pipeline.load.onnx.broadcasting import combine
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.ops.arithmetic import with_constant
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.views import Value

L = tf_keras.layers


@importer("BatchNormalization")
def batch_normalization(builder: Builder, node: Node) -> None:
    """Import BatchNormalization of inference."""
    if node.integer("training_mode", 0) or any(builder.wanted(node, i) for i in (1, 2, 3, 4)):
        raise Refusal("training mode, wanted inference")
    value = builder.value(node)
    if value.rank < 2:
        raise Refusal(f"input of {value.rank} axes, wanted at least 2")
    if not (builder.is_constant(node, 3) and builder.is_constant(node, 4)):
        builder.bind(node, _by_computed_statistics(builder, node, value))
        return
    value = builder.arrange(value, [0, *range(2, value.rank), 1])
    weights = [builder.constant(node, index) for index in (1, 2, 3, 4)]
    tensor = builder.weighted(
        L.BatchNormalization,
        value.tensor,
        weights,
        epsilon=node.number("epsilon", 1e-5),
        momentum=node.number("momentum", 0.9),
    )
    builder.bind(node, builder.like(value, tensor))


def _by_computed_statistics(builder: Builder, node: Node, value: Value) -> Value:
    """Normalise by a mean and variance computed in the model, as tf2onnx writes LayerNorm."""

    def by_channel(index: int) -> Value:
        statistic = builder.value(node, index)
        return views.with_axes(statistic, (*statistic.logical, *((),) * (value.rank - 2)))

    scale, bias = (
        builder.constant(node, index).reshape([-1] + [1] * (value.rank - 2)) for index in (1, 2)
    )
    epsilon = np.array(node.number("epsilon", 1e-5), np.float32)
    centred = combine(builder, L.Subtract, "subtract", value, by_channel(3))
    variance = with_constant(builder, "add", by_channel(4), epsilon, first=False)
    deviation = builder.like(variance, builder.layer(keras_layers.Sqrt, variance.tensor))
    result = combine(builder, None, "divide", centred, deviation)
    if (scale != 1).any():
        result = with_constant(builder, "multiply", result, scale, first=False)
    return with_constant(builder, "add", result, bias, first=False) if bias.any() else result


@importer("LayerNormalization")
def layer_normalization(builder: Builder, node: Node) -> None:
    """Import LayerNormalization over the last axes."""
    if builder.wanted(node, 1) or builder.wanted(node, 2):
        raise Refusal("its mean or deviation is used, wanted only the first output")
    value = builder.value(node)
    first = node.integer("axis", -1) % value.rank
    if builder.open_batch and first == 0:
        raise BatchMixed
    value = builder.arrange(value, list(range(value.rank)))
    shape = value.shape[first:]
    scale = np.broadcast_to(builder.constant(node, 1), shape)
    bias = builder.optional_constant(node, 2)
    weights = [scale] if bias is None else [scale, np.broadcast_to(bias, shape)]
    tensor = builder.weighted(
        L.LayerNormalization,
        value.tensor,
        weights,
        axis=list(range(first, value.rank)),
        epsilon=node.number("epsilon", 1e-5),
        center=bias is not None,
    )
    builder.bind(node, builder.like(value, tensor))
