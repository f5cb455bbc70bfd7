"""Follows channels through a model: which unit each channel of each tensor and weight belongs to.

The rules by class of layer are in `channel_rules`; a layer without one mixes its channels, so all
that it reads and gives is kept. Worker process only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgec.pipeline.compress.channel_units import FIXED, Channels, Units
from edgec.pipeline.compress.layer_graph import Call, calls
from edgec.pipeline.graph import Array

Kept = Array
"""A mask over all units: True for those that stay."""

OUTPUT = "the model's output"
"""Why the channels of an output layer stay."""

Adapt = Callable[[dict[str, Any], Kept], None]
"""Changes a layer's config to what it is with only the kept units."""


@dataclass(slots=True)
class Role:
    """What units mean to one layer.

    `weights` maps an attribute holding a weight to (axis, units) for each axis that has channels;
    `counts` maps a config key to the units it counts; `adapt` changes what else depends on them.
    `makes` are the units that the layer brings into being, `reads` those that it sums over, each
    with the weight and axis that hold its filters.
    """

    weights: dict[str, list[tuple[int, Array]]] = field(default_factory=dict)
    counts: dict[str, Array] = field(default_factory=dict)
    adapt: Adapt | None = None
    makes: tuple[str, int] | None = None
    reads: tuple[str, int] | None = None

    def made(self) -> Array:
        """Return the units of the layer's own output channels."""
        return self._units(self.makes)

    def read(self) -> Array:
        """Return the units of the input channels that the layer sums over."""
        return self._units(self.reads)

    def _units(self, place: tuple[str, int] | None) -> Array:
        if place is None:
            return np.zeros(0, np.int64)
        return dict(self.weights[place[0]])[place[1]]

    @property
    def plain(self) -> bool:
        """Whether the layer is the same whatever channels stay."""
        return not self.weights and not self.counts and self.adapt is None


@dataclass(slots=True)
class Coupling:
    """The analysis of a model; `roots` is the root of every unit once it is complete.

    `roles` and `calls` are by the layer's name; `blocked` says in words what kept units fixed.
    """

    model: Any
    units: Units = field(default_factory=Units)
    channels: dict[int, Channels] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    blocked: dict[int, str] = field(default_factory=dict)
    roots: Array = field(default_factory=lambda: np.zeros(1, np.int64))

    def of(self, tensor: Any) -> Channels:
        """Return the channels of a Keras tensor."""
        return self.channels[id(tensor)]

    def fix(self, units: Array, why: str) -> None:
        """Keep units for good, and remember why."""
        for unit in np.unique(units).tolist():
            self.blocked.setdefault(int(unit), why)
        self.units.fix(units)

    def fixed(self, tensor: Any) -> Channels:
        """Return channels for a tensor of which nothing can be removed."""
        axis = max(0, len(tensor.shape) - 1)
        size = shape_of(tensor)[axis] if len(tensor.shape) else 1
        return Channels(axis, np.full(size, FIXED, np.int64))

    def mixed(self, call: Call, why: str = "") -> list[Channels]:
        """Keep all that a call reads and gives."""
        ends = {id(tensor) for tensor in self.model.outputs}
        if any(id(tensor) in ends for tensor in call.outputs):
            why = OUTPUT
        why = why or f"{call.layer.name} ({call.kind}) mixes its channels"
        for tensor in call.inputs:
            self.fix(self.of(tensor).units, why)
        return [self.fixed(tensor) for tensor in call.outputs]

    def why_fixed(self, units: Array) -> str:
        """Return in words what keeps some of `units`; empty if nothing does."""
        fixed = [int(u) for u in units.tolist() if self.roots[u] == FIXED]
        if not fixed:
            return ""
        told = [self.blocked[u] for u in fixed if u in self.blocked]
        return told[0] if told else "coupled with channels that cannot be removed"


Rule = Callable[[Coupling, Call], list[Channels]]


def shape_of(tensor: Any) -> tuple[int, ...]:
    """Return a Keras tensor's shape with 1 for an open batch."""
    return tuple(1 if size is None else int(size) for size in tensor.shape)


def analyse(model: Any) -> Coupling:
    """Return which channels of a functional model belong together."""
    from edgec.pipeline.compress.channel_rules import RULES

    found = Coupling(model)
    for tensor in model.inputs:
        found.channels[id(tensor)] = found.fixed(tensor)
    first: dict[str, Call] = {}
    found.calls = calls(model)
    for call in found.calls:
        name = call.layer.name
        earlier = first.setdefault(name, call)
        if earlier is not call and not found.roles.get(name, Role()).plain:
            _join_calls(found, earlier, call)
            results: Sequence[Channels] = [found.of(tensor) for tensor in earlier.outputs]
        else:
            results = RULES.get(call.kind, Coupling.mixed)(found, call)
        for tensor, channels in zip(call.outputs, results, strict=True):
            found.channels[id(tensor)] = channels
    for tensor in model.outputs:
        units = found.of(tensor).units
        found.blocked.update(dict.fromkeys(units.tolist(), OUTPUT))
        found.units.fix(units)
    found.roots = found.units.roots()
    return found


def _join_calls(found: Coupling, first: Call, again: Call) -> None:
    """Make a shared layer's second call read the same units as its first."""
    for one, other in zip(first.inputs, again.inputs, strict=True):
        a, b = found.of(one), found.of(other)
        if a.axis == b.axis and len(a.units) == len(b.units):
            found.units.join(a.units, b.units)
        else:
            why = f"{first.layer.name} is shared by tensors of different channels"
            found.fix(a.units, why)
            found.fix(b.units, why)


def macs(found: Coupling, kept: Kept) -> int:
    """Return the multiply-accumulates of an inference with only the kept units."""
    from edgec.pipeline.lower.layer_cost import layer_summary

    total = 0.0
    for layer in {call.layer.name: call.layer for call in found.calls}.values():
        cost = layer_summary(layer)["macs"]
        if cost:
            total += cost * _remaining(layer, found.roles.get(layer.name, Role()), kept)
    return round(total)


def _remaining(layer: Any, role: Role, kept: Kept) -> float:
    """Return what fraction of a layer's filter weights stays."""
    before = after = 0.0
    for name, axes in role.weights.items():
        if "kernel" not in name:
            continue
        size = float(np.prod(weight(layer, name).shape))
        before += size
        for _, units in axes:
            size *= float(np.mean(kept[units]))
        after += size
    return after / before if before else 1.0


def weight(layer: Any, name: str) -> Any:
    """Return a layer's weight by its attribute, as in `kernel` or `cell.kernel`."""
    for part in name.split("."):
        layer = getattr(layer, part)
    return layer
