"""Reads a functional `tf_keras` model as calls of layers, and builds a changed model from them.

Works on Sequential models too, which are functional once built. Worker process only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer on Keras tensors; a shared layer has several."""

    layer: Any
    node: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    @property
    def kind(self) -> str:
        """The layer's class name."""
        return type(self.layer).__name__


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a layer of the new model is called with."""

    positional: tuple[Any, ...]
    keywords: Mapping[str, Any]

    def call(self, layer: Any) -> Any:
        """Call a layer with them."""
        return layer(*self.positional, **self.keywords)


def calls(model: Any) -> list[Call]:
    """Return the calls of all layers but the input layers, each after those whose outputs it reads.

    Raises UnsupportedModelError for a model that is not functional, or holds another model.
    """
    import tensorflow as tf
    import tf_keras

    if not getattr(model, "_is_graph_network", False):
        raise UnsupportedModelError(
            f"model {model.name!r} is a subclassed or unbuilt model, a functional one wanted"
        )
    found = []
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.is_input:
                continue
            if isinstance(node.layer, tf_keras.Model):
                raise UnsupportedModelError(
                    f"layer {node.layer.name!r} is a model within the model, a flat model wanted"
                )
            outputs = tuple(tf.nest.flatten(node.outputs))
            found.append(Call(node.layer, node, tuple(node.keras_inputs), outputs))
    return found


def replay(model: Any, apply: Callable[[Call, Arguments], Any]) -> Any:
    """Return a new functional model: `apply` is given each call and what it is to be called with.

    `apply` returns the tensors that take the place of the call's outputs. Inputs keep their names.
    """
    import tensorflow as tf
    import tf_keras

    known: dict[int, Any] = {}
    for tensor in model.inputs:
        name = tensor._keras_history.layer.name
        known[id(tensor)] = tf_keras.Input(
            batch_shape=tuple(tensor.shape), dtype=tensor.dtype, name=name
        )

    def new(value: Any) -> Any:
        return known.get(id(value), value)

    for call in calls(model):
        positional = tf.nest.map_structure(new, tuple(call.node.call_args))
        keywords = tf.nest.map_structure(new, dict(call.node.call_kwargs))
        results = tf.nest.flatten(apply(call, Arguments(positional, keywords)))
        for old, made in zip(call.outputs, results, strict=True):
            known[id(old)] = made
    inputs = [known[id(tensor)] for tensor in model.inputs]
    outputs = [known[id(tensor)] for tensor in model.outputs]
    return tf_keras.Model(inputs, outputs, name=model.name)


@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer to be made, and the weights that it gets once it is built."""

    layer: Any
    weights: tuple[Array, ...]


def copied(layer: Any) -> NewLayer:
    """Return a new layer of the same class, arguments and weights."""
    return NewLayer(
        type(layer).from_config(layer.get_config()), tuple(w.numpy() for w in layer.weights)
    )


def rebuild(model: Any, make: Callable[[Call], Sequence[NewLayer]]) -> Any:
    """Return a model in which each layer is replaced by the chain of layers that `make` gives.

    `make` is asked once a layer, with its first call; a shared layer's chain is shared. The first
    of the chain is called with what the old layer was, each other with what the one before gave.
    """
    made: dict[int, Sequence[NewLayer]] = {}

    def apply(call: Call, arguments: Arguments) -> Any:
        fresh = id(call.layer) not in made
        chain = made[id(call.layer)] if fresh is False else make(call)
        made[id(call.layer)] = chain
        result: Any = None
        for index, item in enumerate(chain):
            result = item.layer(result) if index else arguments.call(item.layer)
            if fresh and item.weights:
                item.layer.set_weights(list(item.weights))
        return result

    return replay(model, apply)


def free_name(model: Any, wanted: str) -> str:
    """Return `wanted`, or the first of `wanted_2`, `wanted_3`, … that no layer of the model has."""
    names = {layer.name for layer in model.layers}
    name, count = wanted, 1
    while name in names:
        count += 1
        name = f"{wanted}_{count}"
    return name


def duplicate(model: Any) -> Any:
    """Return a copy of a model that shares nothing with it."""
    return rebuild(model, lambda call: [copied(call.layer)])
