"""Replaces dense and convolution layers by two of low rank each, where that saves.

Worker process only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from edgec.pipeline.compress.factorisation import Factors, Scheme, factors
from edgec.pipeline.compress.layer_graph import Call, NewLayer, calls, copied, free_name, rebuild
from edgec.pipeline.compress.output_moments import output_moments
from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import Array

Schemes = Literal["auto", "channel", "spatial"]
Measure = Literal["macs", "parameters"]

_KINDS = ("Conv1D", "Conv2D", "Dense")


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiply-accumulates of an inference and weights, biases left out."""

    macs: float
    parameters: float

    def of(self, measure: Measure) -> float:
        """Return one of the two."""
        return self.macs if measure == "macs" else self.parameters


@dataclass(frozen=True, slots=True)
class Candidate:
    """A layer that could be split: what it costs, and its decompositions by scheme."""

    call: Call
    cost: Cost
    ways: tuple[Factors, ...]

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.call.layer.name)

    def split_cost(self, way: Factors, rank: int) -> Cost:
        """Return what the two layers of a rank cost."""
        *window, taken, made = way.kernel.shape
        places = math.prod(int(size) for size in self.call.outputs[0].shape[1:-1])
        if way.scheme == "channel":
            first, second = math.prod(window) * taken * rank, rank * made
            macs = float(places * (first + second))
        else:
            height, width = window
            first, second = height * taken * rank, width * rank * made
            rows = int(self.call.outputs[0].shape[1])
            macs = float(rows * int(self.call.inputs[0].shape[2]) * first + places * second)
        times = self.cost.macs / (
            places * math.prod(way.kernel.shape)
        )  # a shared layer counts each call
        return Cost(macs * times, float(first + second))


@dataclass(frozen=True, slots=True)
class Split:
    """A layer's decision: which decomposition, of which rank; no `way` where it stays."""

    candidate: Candidate
    way: Factors | None
    rank: int
    cost: Cost


def whole_cost(model: Any) -> Cost:
    """Return what all layers of a model cost, biases and the like included."""
    from edgec.pipeline.lower.layer_cost import layer_summary

    layers = [layer_summary(layer) for layer in model.layers]
    return Cost(
        sum(layer["macs"] for layer in layers), sum(layer["parameters"] for layer in layers)
    )


def candidates(
    model: Any, patterns: Sequence[str], schemes: Schemes, samples: Sequence[Array] = ()
) -> list[Candidate]:
    """Return the layers that can be split and match a pattern of names.

    They are decomposed by their outputs on `samples`, or by their weights where there are none.
    Raises UsageError where a pattern matches no layer that can be.
    """
    from edgec.pipeline.lower.layer_cost import layer_summary

    able: dict[str, Call] = {}
    for call in calls(model):
        if call.kind in _KINDS and getattr(call.layer, "groups", 1) == 1:
            able.setdefault(call.layer.name, call)
    ways = {name: _schemes(call.layer.kernel.shape, schemes) for name, call in able.items()}
    able = {name: call for name, call in able.items() if ways[name]}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in able):
            raise UsageError(
                f"low-rank.layers: {pattern!r} matches no layer that can be split",
                f"these can: {', '.join(able) or 'none'}",
            )
    wanted = [
        (call, scheme)
        for name, call in able.items()
        for scheme in ways[name]
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
    moments = output_moments(model, wanted, samples) if samples else [None] * len(wanted)
    found: dict[str, Candidate] = {}
    for (call, scheme), measured in zip(wanted, moments, strict=True):
        layer, kernel = call.layer, call.layer.kernel.numpy()
        centred = bool(layer.use_bias) and scheme == "channel"
        way = factors(kernel, scheme, measured, centred=centred)
        cost = Cost(layer_summary(layer)["macs"], kernel.size)
        earlier = found[layer.name].ways if layer.name in found else ()
        found[layer.name] = Candidate(call, cost, (*earlier, way))
    return list(found.values())


def _schemes(shape: tuple[int, ...], wanted: Schemes) -> list[Scheme]:
    able: list[Scheme] = ["channel"]
    if len(shape) == 4 and min(shape[:2]) > 1:
        able.append("spatial")
    if wanted == "auto" or len(shape) < 4:  # dense and Conv1D layers have but one way
        return able
    return [scheme for scheme in able if scheme == wanted]


def at_energy(
    found: Sequence[Candidate], energy: float, multiple: int, saving: float, measure: Measure
) -> list[Split]:
    """Return each layer's cheapest split that keeps `energy` of its filters, if it saves enough.

    It does where `measure` shrinks by the fraction `saving` and the other measure does not grow.
    """
    return [_cheapest(candidate, energy, multiple, saving, measure) for candidate in found]


def _cheapest(
    candidate: Candidate, energy: float, multiple: int, saving: float, measure: Measure
) -> Split:
    options = []
    for way in candidate.ways:
        rank = min(len(way.values), -(-way.rank_for(energy) // multiple) * multiple)
        options.append(Split(candidate, way, rank, candidate.split_cost(way, rank)))
    best = min(options, key=lambda option: option.cost.of(measure))
    old = candidate.cost
    pays = best.cost.of(measure) <= (1 - saving) * old.of(measure)
    if pays and best.cost.macs <= old.macs and best.cost.parameters <= old.parameters:
        return best
    return Split(candidate, None, best.rank, best.cost)


def within(
    found: Sequence[Candidate], share: float, multiple: int, saving: float, measure: Measure,
    whole: Cost,
) -> list[Split]:  # fmt: skip
    """Return the splits of the highest common energy with which the model costs `share` of itself.

    `whole` is the model's cost. Raises UsageError where no energy does.
    """
    least = float("inf")
    for percent in range(100, 0, -1):
        splits = at_energy(found, percent / 100, multiple, saving, measure)
        saved = sum(
            s.candidate.cost.of(measure) - s.cost.of(measure) for s in splits if s.way is not None
        )
        left = 1 - saved / whole.of(measure)
        if left <= share:
            return splits
        least = min(least, left)
    raise UsageError(
        f"low-rank: a share of {share:g} of the {measure} cannot be reached, {least:.3g} is the "
        "least",
        "ask for less, or lower multiple and saving",
    )


def apply_splits(model: Any, splits: Sequence[Split]) -> Any:
    """Return a new model with the decided layers split; the second of each keeps the name."""
    ways: Mapping[str, Split] = {s.candidate.name: s for s in splits if s.way is not None}

    def make(call: Call) -> list[NewLayer]:
        split = ways.get(call.layer.name)
        return [copied(call.layer)] if split is None else _pair(model, call.layer, split)

    return rebuild(model, make)


def told(split: Split) -> str:
    """Return a layer's decision in words."""
    candidate, old = split.candidate, split.candidate.cost
    macs, parameters = split.cost.macs / old.macs, split.cost.parameters / old.parameters
    if split.way is None:
        return (
            f"{candidate.name} stays whole: rank {split.rank} would take {macs:.2f}x its MACs "
            f"and {parameters:.2f}x its weights"
        )
    first, second = (
        "x".join(map(str, kernel.shape[:-2])) or "dense" for kernel in split.way.pair(1)
    )
    return (
        f"{candidate.name} in two of rank {split.rank} ({first} and {second}): {macs:.2f}x its "
        f"MACs, {parameters:.2f}x its weights, {split.way.energy(split.rank):.1%} of its energy"
    )


def _pair(model: Any, layer: Any, split: Split) -> list[NewLayer]:
    assert split.way is not None
    first_kernel, second_kernel = split.way.pair(split.rank)
    first, second = layer.get_config(), layer.get_config()
    first.update(name=free_name(model, f"{layer.name}_basis"), use_bias=False, activation="linear")
    if "units" in first:
        first["units"] = split.rank
    else:
        _windows(first, second, split.way.scheme, first_kernel.shape, second_kernel.shape)
        first["filters"] = split.rank
    kind = type(layer)
    bias = [b + split.way.bias_shift(split.rank) for b in layer.get_weights()[1:]]
    return [
        NewLayer(kind.from_config(first), (first_kernel,)),
        NewLayer(kind.from_config(second), (second_kernel, *bias)),
    ]


def _windows(
    first: dict[str, Any], second: dict[str, Any], scheme: Scheme, one: Any, other: Any
) -> None:
    """Give each of two convolutions its window, and its part of strides and dilation."""
    first["kernel_size"], second["kernel_size"] = tuple(one[:-2]), tuple(other[:-2])
    ones = (1,) * (len(one) - 2)
    for key in ("strides", "dilation_rate"):
        value = tuple(first[key])
        if scheme == "channel":
            second[key] = ones
        else:
            first[key], second[key] = (value[0], 1), (1, value[1])
    if scheme == "channel":
        second["padding"] = "valid"
