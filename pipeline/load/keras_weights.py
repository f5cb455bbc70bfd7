"""Copies weights from a model file into built tf_keras layers, every shape and count checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.keras_archive import Group
from edgec.pipeline.load.keras_calls import LayerSpec, refusal
from edgec.pipeline.load.keras_layers import Built

_CHILDREN = (
    "backward_layer",
    "cell",
    "forward_layer",
    "key_dense",
    "layer",
    "output_dense",
    "query_dense",
    "value_dense",
)
"""Attributes under which a layer holds other layers with weights."""


def assign_by_position(built: Built, root: Group) -> None:
    """Assign from a `.keras` weight store, whose groups are named by class and position."""
    for name in ("layers", "_layer_checkpoint_dependencies"):
        if name in root.groups:
            _assign_container(built, root.groups[name])
            return
    if any(layer.weights for _, layer in built.flat()):
        raise UnsupportedModelError("the archive's weight file holds no layers")


def _assign_container(built: Built, container: Group) -> None:
    used: dict[str, int] = {}
    for spec, layer in built.layers:
        stem = _snake_case(spec.source_class)
        count = used[stem] = used.get(stem, -1) + 1
        group_name = f"{stem}_{count}" if count else stem
        group = container.groups.get(group_name)
        if isinstance(layer, Built):
            if group is not None and "layers" in group.groups:
                _assign_container(layer, group.groups["layers"])
            elif any(inner.weights for _, inner in layer.flat()):
                raise refusal(spec.name, f"the weight file has no layers in {group_name!r}")
        elif layer.weights:
            if group is None:
                raise refusal(spec.name, f"the weight file has no group {group_name!r}")
            assign(spec, layer, _own_and_inner(spec, layer, group))


def _own_and_inner(spec: LayerSpec, layer: Any, group: Group) -> list[np.ndarray]:
    """Return a layer's arrays in the order of `layer.weights`."""
    by_variable: dict[int, np.ndarray] = {}
    _collect(spec, layer, group, by_variable)
    return [by_variable[id(v)] for v in layer.weights if id(v) in by_variable]


def _collect(spec: LayerSpec, layer: Any, group: Group, by_variable: dict[int, np.ndarray]) -> None:
    variables = [*layer._trainable_weights, *layer._non_trainable_weights]
    stored = group.groups["vars"].arrays if "vars" in group.groups else {}
    for index, variable in enumerate(variables):
        if str(index) not in stored:
            raise refusal(spec.name, f"the weight file lacks variable {index} of {group.name}")
        by_variable[id(variable)] = stored[str(index)]
    for name, below in group.groups.items():
        attribute = name.removeprefix("_")
        if attribute not in _CHILDREN:
            continue
        child = getattr(layer, attribute, None) or getattr(layer, f"_{attribute}", None)
        if child is not None and hasattr(child, "_trainable_weights"):
            _collect(spec, child, below, by_variable)


def assign_by_name(built: Built, root: Group) -> None:
    """Assign from the `model_weights` group of an `.h5` file, one group a layer."""
    for spec, layer in built.layers:
        wanted = _legacy_order(layer)
        if not wanted:
            continue
        group = root.groups.get(spec.name)
        if group is None:
            raise refusal(spec.name, "the file has no weights of it")
        arrays = []
        for name in group.weight_names:
            array = group.find(name)
            if array is None:
                raise refusal(spec.name, f"the file lists weight {name!r} and does not hold it")
            arrays.append(array)
        _set_variables(spec, wanted, arrays)
    for spec, layer in built.flat():
        _finish(spec, layer)


def _legacy_order(layer: Any) -> list[Any]:
    """Return the variables in the order of `.h5` files: trainable ones first."""
    layers = [inner for _, inner in layer.flat()] if isinstance(layer, Built) else [layer]
    trainable = [variable for item in layers for variable in item.trainable_weights]
    return trainable + [variable for item in layers for variable in item.non_trainable_weights]


def assign(spec: LayerSpec, layer: Any, arrays: Sequence[np.ndarray]) -> None:
    """Assign `arrays` to a layer, in the order of `layer.weights`; refuse what does not fit."""
    _set_variables(spec, layer.weights, arrays)
    _finish(spec, layer)


def _set_variables(spec: LayerSpec, variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
    if len(arrays) != len(variables):
        raise refusal(
            spec.name, f"the file has {len(arrays)} weight arrays of it, {len(variables)} wanted"
        )
    for index, (variable, array) in enumerate(zip(variables, arrays, strict=True)):
        if tuple(array.shape) != tuple(variable.shape):
            raise refusal(
                spec.name,
                f"weight {index} has shape {list(array.shape)}, {list(variable.shape)} wanted",
            )
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise refusal(spec.name, f"weight {index} holds values that are not finite numbers")
        variable.assign(array.astype(variable.dtype.as_numpy_dtype))


def _finish(spec: LayerSpec, layer: Any) -> None:
    if spec.class_name == "Normalization" and layer.weights:
        layer.finalize_state()


def _snake_case(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
