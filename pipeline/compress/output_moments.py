"""Measures how a layer's outputs vary over samples, for its decomposition. Worker process only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgec.pipeline.compress.factorisation import Moments, Scheme, output_kernel
from edgec.pipeline.compress.layer_graph import Call
from edgec.pipeline.graph import Array

_BATCH = 32


def output_moments(
    model: Any, wanted: Sequence[tuple[Call, Scheme]], samples: Sequence[Array]
) -> list[Moments]:
    """Return the moments of each layer's outputs over samples and places, bias left out.

    They are those of the layer with `output_kernel` of the scheme as its filter, at the call given.
    """
    import tf_keras

    tensors = [_linear(call, scheme) for call, scheme in wanted]
    if not tensors:
        return []
    probe = tf_keras.Model(model.inputs, tensors)
    sizes = [int(tensor.shape[-1]) for tensor in tensors]
    squares = [np.zeros((size, size)) for size in sizes]
    sums = [np.zeros(size) for size in sizes]
    places = [0] * len(tensors)
    at_once = model.inputs[0].shape[0] or _BATCH
    for start in range(0, len(samples[0]), at_once):
        part = [array[start : start + at_once] for array in samples]
        values = probe(part if len(part) > 1 else part[0], training=False)
        values = values if isinstance(values, (list, tuple)) else [values]
        for index, value in enumerate(values):
            flat = np.asarray(value, np.float64).reshape(-1, sizes[index])
            squares[index] += flat.T @ flat
            sums[index] += flat.sum(axis=0)
            places[index] += len(flat)
    return [
        Moments(square / count, total / count)
        for square, total, count in zip(squares, sums, places, strict=True)
    ]


def _linear(call: Call, scheme: Scheme) -> Any:
    """Return a Keras tensor of the layer's outputs without bias and activation."""
    layer = call.layer
    kernel = output_kernel(layer.kernel.numpy(), scheme)
    config = layer.get_config()
    config.update(use_bias=False, activation="linear", name=f"{layer.name}_{scheme}_probe")
    config["units" if "units" in config else "filters"] = int(kernel.shape[-1])
    if scheme == "spatial":
        config["kernel_size"] = tuple(kernel.shape[:2])
        config["strides"] = (config["strides"][0], 1)
        config["dilation_rate"] = (config["dilation_rate"][0], 1)
    probe = type(layer).from_config(config)
    tensor = probe(call.inputs[0])
    probe.set_weights([kernel])
    return tensor
