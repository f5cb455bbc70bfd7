"""Removes channels physically: builds the smaller model, its weights copied.

Worker process only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.channel_coupling import Coupling, Kept, Role, weight
from edgec.pipeline.compress.layer_graph import Call, NewLayer, copied, rebuild
from edgec.pipeline.graph import Array


def remove(found: Coupling, kept: Kept) -> Any:
    """Return a new model of the analysed one with only the kept units' channels.

    `kept` has an entry for each unit, the same for units that are one. The result computes what
    the old model would with the removed channels read as zero.
    """

    def make(call: Call) -> list[NewLayer]:
        role = found.roles.get(call.layer.name)
        if role is None or role.plain:
            return [copied(call.layer)]
        return [_smaller(call.layer, role, kept)]

    made = rebuild(found.model, make)
    for old, new in zip(found.model.outputs, made.outputs, strict=True):
        assert tuple(old.shape) == tuple(new.shape), "an output lost channels"
    return made


def _smaller(layer: Any, role: Role, kept: Kept) -> NewLayer:
    config = layer.get_config()
    for key, units in role.counts.items():
        config[key] = int(np.sum(kept[units]))
    if role.adapt is not None:
        role.adapt(config, kept)
    weights = [variable.numpy() for variable in layer.weights]
    for name, axes in role.weights.items():
        index = next(i for i, v in enumerate(layer.weights) if v is weight(layer, name))
        weights[index] = _kept_part(weights[index], axes, kept)
    return NewLayer(type(layer).from_config(config), tuple(weights))


def _kept_part(array: Array, axes: list[tuple[int, Array]], kept: Kept) -> Array:
    for axis, units in axes:
        array = np.compress(kept[units], array, axis=axis)
    return array
