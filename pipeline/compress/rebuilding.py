"""Builds a functional model anew, call by call, with other layers in the place of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def calls_of(model: Any) -> list[Any]:
    """Return the nodes of a functional model, each after those it reads, without its inputs."""
    by_depth = model._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return [node for node in nodes if not node.is_input]


def rebuild(
    model: Any,
    layers_for: Callable[[Any], Sequence[Any]],
    after: Callable[[Any, Any], Any] = lambda tensor, made: made,
) -> Any:
    """Return a model of the same graph with other layers.

    `layers_for(node)` returns the layers that stand for the call of one, in order; none passes the
    input on. `after(tensor, made)` may call further layers on what stands for a tensor of the
    old model.
    """
    import tf_keras

    inputs = [
        tf_keras.Input(batch_shape=tuple(old.shape), name=old._keras_history.layer.name)
        for old in model.inputs
    ]
    outputs = _applied(model, inputs, layers_for, after)
    return tf_keras.Model(inputs, outputs, name=model.name)


def _applied(
    model: Any,
    inputs: Sequence[Any],
    layers_for: Callable[[Any], Sequence[Any]],
    after: Callable[[Any, Any], Any],
) -> list[Any]:
    """Call what stands for the layers of a model on other tensors; return its outputs."""
    import tensorflow as tf

    values = {id(old): after(old, new) for old, new in zip(model.inputs, inputs, strict=True)}
    for node in calls_of(model):
        arguments, keywords = tf.nest.map_structure(
            lambda value: values.get(id(value), value), (node.call_args, node.call_kwargs)
        )
        made = arguments[0]
        for index, layer in enumerate(layers_for(node)):
            made = layer(*arguments, **keywords) if index == 0 else layer(made)
        old_flat, new_flat = tf.nest.flatten(node.outputs), tf.nest.flatten(made)
        for old, new in zip(old_flat, new_flat, strict=True):
            values[id(old)] = after(old, new)
    return [values[id(tensor)] for tensor in model.outputs]


def flattened(model: Any) -> Any:
    """Return a model of the same layers in which no layer is a model."""
    import tensorflow as tf
    import tf_keras

    def layers_for(node: Any) -> list[Any]:
        inner = node.layer
        if not isinstance(inner, tf_keras.Model):
            return [inner]

        def through(inputs: Any, **keywords: Any) -> Any:
            made = _applied(inner, tf.nest.flatten(inputs), layers_for, lambda _, made: made)
            return tf.nest.pack_sequence_as(inner.output, made)

        return [through]

    return rebuild(model, layers_for)


def models_within(model: Any) -> list[str]:
    """Return the names of the layers that are models."""
    import tf_keras

    return [layer.name for layer in model.layers if isinstance(layer, tf_keras.Model)]
