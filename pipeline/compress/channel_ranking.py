"""Ranks channels by weights and activations, and says which stay. Worker process only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgec.pipeline.compress.channel_coupling import Coupling, Kept, weight
from edgec.pipeline.compress.channel_units import FIXED
from edgec.pipeline.graph import Array

Criterion = Literal["weight", "activation", "weight-activation"]

_BATCH = 128


@dataclass(frozen=True, slots=True)
class Group:
    """Units that the same layers make, so that they are ranked among themselves.

    `layers` names those layers; `roots` are the units that may be removed.
    """

    layers: tuple[str, ...]
    roots: Array

    @property
    def name(self) -> str:
        """The layers' names in one."""
        return "+".join(self.layers)


def groups(found: Coupling) -> list[Group]:
    """Return all removable units by the layers that make them, in the model's order."""
    makers: dict[int, list[str]] = defaultdict(list)
    for name, role in found.roles.items():
        for root in np.unique(found.roots[role.made()]).tolist():
            if root != FIXED:
                makers[int(root)].append(name)
    by_layers: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for root, names in makers.items():
        by_layers[tuple(names)].append(root)
    return [Group(names, np.array(sorted(roots))) for names, roots in by_layers.items()]


def scores(found: Coupling, criterion: Criterion, samples: Sequence[Array]) -> Array:
    """Return how much each root unit matters, comparable within a group.

    `weight` is the L1 norm of the filters that make the channel (Li et al., arXiv:1608.08710).
    `activation` is the channel's root mean square over `samples` where it is read, and
    `weight-activation` that times the L1 norm of the weights that read it: what the channel
    adds to the next layer. Each layer's scores are divided by their mean before they are summed.
    """
    result = np.zeros(len(found.units))
    if criterion == "weight":
        for layer, role in _with_role(found):
            if role.makes is not None:
                _add(result, found, role.made(), _norms(layer, *role.makes))
        return result
    readers = [call for call in found.calls if _reads(found, call)]
    strengths = _root_mean_squares(found.model, [call.inputs[0] for call in readers], samples)
    for call, strength in zip(readers, strengths, strict=True):
        role = found.roles[call.layer.name]
        assert role.reads is not None
        if criterion == "weight-activation":
            units, norms = role.read(), _norms(call.layer, *role.reads)
            times = len(norms) // len(strength)  # a depth multiplier may lie between
            _add(result, found, units, np.repeat(strength, times) * norms)
        else:
            _add(result, found, found.of(call.inputs[0]).units, strength)
    return result


def keep_best(found: Coupling, chosen: Mapping[str, int], score: Array, multiple: int) -> Kept:
    """Return the mask of units after each named group keeps that many of its best.

    Groups that are not named stay whole. Where all of a tensor's channels would go, its best
    `multiple` are kept beyond the number.
    """
    stays = np.ones(len(found.units), bool)
    for group in groups(found):
        if group.name in chosen:
            order = group.roots[np.argsort(-score[group.roots], kind="stable")]
            stays[order[chosen[group.name] :]] = False
    for channels in found.channels.values():
        roots = np.unique(found.roots[channels.units])
        if not stays[roots].any():
            stays[roots[np.argsort(-score[roots], kind="stable")][:multiple]] = True
    return stays[found.roots]


def rounded(count: float, multiple: int, most: int) -> int:
    """Return the nearest multiple to `count`, at least one and at most `most` channels."""
    return min(most, multiple * max(1, int(count / multiple + 0.5)))


def _with_role(found: Coupling) -> list[tuple[Any, Any]]:
    layers = {call.layer.name: call.layer for call in found.calls}
    return [(layers[name], role) for name, role in found.roles.items()]


def _reads(found: Coupling, call: Any) -> bool:
    role = found.roles.get(call.layer.name)
    return role is not None and role.reads is not None


def _norms(layer: Any, name: str, axis: int) -> Array:
    """Return the L1 norm of a weight's part for each index along an axis."""
    values = np.abs(weight(layer, name).numpy())
    return np.asarray(values.sum(axis=tuple(a for a in range(values.ndim) if a != axis)))


def _add(result: Array, found: Coupling, units: Array, values: Array) -> None:
    scale = float(np.mean(values))
    if scale > 0:
        np.add.at(result, found.roots[units], values / scale)


def _root_mean_squares(model: Any, tensors: list[Any], samples: Sequence[Array]) -> list[Array]:
    """Return each tensor's root mean square for each index along its last axis."""
    import tf_keras

    if not tensors:
        return []
    probe = tf_keras.Model(model.inputs, tensors)
    sums = [np.zeros(int(tensor.shape[-1])) for tensor in tensors]
    places = [0] * len(tensors)
    at_once = model.inputs[0].shape[0] or _BATCH
    for start in range(0, len(samples[0]), at_once):
        part = [array[start : start + at_once] for array in samples]
        values = probe(part if len(part) > 1 else part[0], training=False)
        values = values if isinstance(values, (list, tuple)) else [values]
        for index, value in enumerate(values):
            flat = np.asarray(value, np.float64).reshape(-1, value.shape[-1])
            sums[index] += np.sum(flat**2, axis=0)
            places[index] += len(flat)
    return [np.sqrt(total / count) for total, count in zip(sums, places, strict=True)]
