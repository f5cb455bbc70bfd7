"""Replaces convolutions by a depthwise layer and a 1x1 convolution. Worker process only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from edgec.pipeline.compress.factorisation import depthwise_pair
from edgec.pipeline.compress.layer_graph import Call, NewLayer, copied, free_name, rebuild
from edgec.pipeline.errors import UsageError

_FEWEST_CHANNELS = 4


def separate(model: Any, patterns: Sequence[str], multiplier: int) -> tuple[Any, list[str], int]:
    """Return a new model with the matching convolutions separated, notes, and how many were.

    The 1x1 convolution keeps the layer's name, bias and activation. Raises UsageError where a
    pattern matches no Conv2D layer.
    """
    notes: list[str] = []
    names = [layer.name for layer in model.layers if type(layer).__name__ == "Conv2D"]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(
                f"compact.layers: {pattern!r} matches no Conv2D layer",
                f"there are: {', '.join(names) or 'none'}",
            )
    replaced = 0

    def make(call: Call) -> list[NewLayer]:
        nonlocal replaced
        layer = call.layer
        if call.kind != "Conv2D" or not any(fnmatchcase(layer.name, p) for p in patterns):
            return [copied(layer)]
        if why := _obstacle(layer, multiplier):
            notes.append(f"{layer.name} stays a convolution: {why}")
            return [copied(layer)]
        replaced += 1
        pair, note = _pair(model, layer, multiplier)
        notes.append(note)
        return pair

    return rebuild(model, make), notes, replaced


def _obstacle(layer: Any, multiplier: int) -> str:
    """Return why a convolution stays one, or nothing."""
    height, width, taken, made = layer.kernel.shape
    if height * width == 1:
        return "its window is 1x1"
    if layer.groups != 1:
        return "it is grouped"
    if len(set(layer.strides)) > 1:
        return f"its strides are {'x'.join(map(str, layer.strides))}"
    if taken < _FEWEST_CHANNELS:
        return f"it reads {taken} channels, {_FEWEST_CHANNELS} or more wanted"
    if _weights(layer, multiplier) >= height * width * taken * made:
        return "a separable one would be no smaller"
    return ""


def _weights(layer: Any, multiplier: int) -> int:
    height, width, taken, made = layer.kernel.shape
    between = int(taken * min(multiplier, height * width, made))
    return int(height * width * between + between * made)


def _pair(model: Any, layer: Any, multiplier: int) -> tuple[list[NewLayer], str]:
    import tf_keras

    depthwise, pointwise, energy = depthwise_pair(layer.kernel.numpy(), multiplier)
    first = tf_keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        depth_multiplier=depthwise.shape[-1],
        use_bias=False,
        name=free_name(model, f"{layer.name}_depthwise"),
    )
    config = layer.get_config()
    config.update(kernel_size=(1, 1), strides=(1, 1), padding="valid", dilation_rate=(1, 1))
    second = type(layer).from_config(config)
    share = _weights(layer, multiplier) / math.prod(layer.kernel.shape)
    note = (
        f"{layer.name} as depthwise and 1x1: {share:.2f}x its weights, {energy:.1%} of its energy "
        "before training"
    )
    bias = layer.get_weights()[1:]
    return [NewLayer(first, (depthwise,)), NewLayer(second, (pointwise, *bias))], note
