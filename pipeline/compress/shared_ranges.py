"""Cross-layer equalisation of a Keras model in place (Nagel et al., arXiv:1906.04721, 4.1).

For a pair of layers with ranges r1 and r2 of a channel's weights, the first is divided and the
second multiplied by s = r1 / sqrt(r1 r2), after which both have the range sqrt(r1 r2).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgec.pipeline.compress.layer_graph import Call, calls
from edgec.pipeline.compress.steps.equalization import Equalize
from edgec.pipeline.compress.work import Work
from edgec.pipeline.graph import Array

PRODUCTS = ("Conv1D", "Conv2D", "Dense", "DepthwiseConv2D")
_PASSING = (
    "AveragePooling2D", "Dropout", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "MaxPooling2D", "ReLU", "SpatialDropout2D", "UpSampling2D", "ZeroPadding2D",
)  # fmt: skip
"""Layers that pass a positive factor of a channel on as it is; ReLU without a ceiling."""
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers between which channels may be scaled, and the normalisation behind the first."""

    first: Any
    norm: Any | None
    second: Any


def equalize(work: Work, step: Equalize) -> None:
    """Scale the channels between all pairs of layers of `work.model`, in place."""
    pairs = find_pairs(work.model)
    spread = [_spread(pair) for pair in pairs]
    for _ in range(step.rounds):
        for pair in pairs:
            _equalize(pair)
    for pair, before in zip(pairs, spread, strict=True):
        work.notes.append(
            f"{pair.first.name} to {pair.second.name}: widest over narrowest channel "
            f"{before:.3g}, now {_spread(pair):.3g}"
        )
    if not pairs:
        work.notes.append("no two layers follow each other so that they can be equalised")


def find_pairs(model: Any) -> list[Pair]:
    """Return the pairs of layers with nothing between that forbids a factor, in order."""
    found = calls(model)
    uses = Counter(id(call.layer) for call in found)
    readers: dict[int, list[Call]] = {}
    for call in found:
        for tensor in call.inputs:
            readers.setdefault(id(tensor), []).append(call)
    ends = {id(tensor) for tensor in model.outputs}

    def next_call(call: Call) -> Call | None:
        """Return the one reader of a call's output, if it is alone and neither is shared."""
        output = call.outputs[0]
        after = readers.get(id(output), [])
        lone = len(after) == 1 and id(output) not in ends and uses[id(call.layer)] == 1
        return after[0] if lone else None

    pairs = []
    for call in found:
        if call.kind in PRODUCTS:
            pair = _pair(call, next_call)
            if pair is not None and uses[id(pair.second)] == 1:
                pairs.append(pair)
    return pairs


def _pair(start: Call, next_call: Any) -> Pair | None:
    """Follow a layer's output to the layer that it can be equalised with."""
    norm = None
    if not _keeps_factors(start.layer):
        return None
    call = next_call(start)
    if (
        call is not None
        and call.kind == "BatchNormalization"
        and start.layer.activation is not None
    ):
        if _activation(start.layer) != "linear" or not (call.layer.scale and call.layer.center):
            return None
        norm, call = call.layer, next_call(call)
    while call is not None:
        if call.kind in PRODUCTS:
            return Pair(start.layer, norm, call.layer)
        if not (call.kind in _PASSING and _keeps_factors(call.layer)) and not _is_relu(call):
            return None
        call = next_call(call)
    return None


def _activation(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", "linear"))


def _keeps_factors(layer: Any) -> bool:
    """Return whether a positive factor passes the layer's own non-linearity unchanged."""
    ceiling = getattr(layer, "max_value", None)
    threshold = float(getattr(layer, "threshold", 0.0) or 0.0)
    return _activation(layer) in ("linear", "relu") and ceiling is None and threshold == 0.0


def _is_relu(call: Call) -> bool:
    return call.kind == "Activation" and _activation(call.layer) == "relu"


def _equalize(pair: Pair) -> None:
    made, taken = output_ranges(pair.first, pair.norm), _input_ranges(pair.second)
    live = (made > _LEAST) & (taken > _LEAST)
    factor = np.where(live, np.sqrt(np.maximum(made, _LEAST) / np.maximum(taken, _LEAST)), 1.0)
    _scale_outputs(pair, 1.0 / factor)
    _scale_inputs(pair.second, factor)


def _spread(pair: Pair) -> float:
    ranges = output_ranges(pair.first, pair.norm)
    live = ranges[ranges > _LEAST]
    return float(live.max() / live.min()) if live.size else 1.0


def by_output(layer: Any) -> Array:
    """Return a product layer's kernel as (weights of one output channel, output channels)."""
    if hasattr(layer, "depthwise_kernel"):
        kernel = layer.depthwise_kernel.numpy()
        return np.asarray(kernel.reshape(-1, kernel.shape[2] * kernel.shape[3]))
    kernel = layer.kernel.numpy()
    return np.asarray(kernel.reshape(-1, kernel.shape[-1]))


def output_ranges(layer: Any, norm: Any | None) -> Array:
    """Return the largest weight magnitude of each output channel, normalisation folded in."""
    ranges = np.abs(by_output(layer)).max(axis=0)
    if norm is not None:
        deviation = np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
        ranges = ranges * np.abs(norm.gamma.numpy()) / deviation
    return np.asarray(ranges)


def _input_ranges(layer: Any) -> Array:
    """Return the largest weight magnitude of each input channel."""
    if hasattr(layer, "depthwise_kernel"):
        kernel = np.abs(layer.depthwise_kernel.numpy())
        return np.asarray(kernel.max(axis=(0, 1, 3)))
    kernel = np.abs(layer.kernel.numpy())
    return np.asarray(kernel.max(axis=tuple(a for a in range(kernel.ndim) if a != kernel.ndim - 2)))


def _scale_outputs(pair: Pair, factor: Array) -> None:
    if pair.norm is not None:
        for weight in (pair.norm.gamma, pair.norm.beta):
            weight.assign(weight.numpy() * factor)
        return
    layer = pair.first
    if hasattr(layer, "depthwise_kernel"):
        kernel = layer.depthwise_kernel.numpy()
        layer.depthwise_kernel.assign(kernel * factor.reshape(kernel.shape[2:]))
    else:
        layer.kernel.assign(layer.kernel.numpy() * factor)
    if layer.use_bias:
        layer.bias.assign(layer.bias.numpy() * factor)


def _scale_inputs(layer: Any, factor: Array) -> None:
    if hasattr(layer, "depthwise_kernel"):
        layer.depthwise_kernel.assign(layer.depthwise_kernel.numpy() * factor[:, None])
    else:
        layer.kernel.assign(layer.kernel.numpy() * factor[:, None])
