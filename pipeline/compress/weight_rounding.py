"""Corrects biases for the mean error of int8 weights (Nagel et al., arXiv:1906.04721, 4.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.layer_graph import Call, calls
from edgec.pipeline.compress.shared_ranges import PRODUCTS, by_output
from edgec.pipeline.compress.steps.bias_correction import CorrectBias
from edgec.pipeline.compress.work import Work
from edgec.pipeline.graph import Array


def correct_biases(work: Work, step: CorrectBias) -> None:
    """Change the biases of `work.model` in place, each by its layer's mean rounding error."""
    import tf_keras

    found = calls(work.model)
    products = [call for call in found if call.kind in PRODUCTS]
    inner = tf_keras.Model(work.model.inputs, [call.inputs[0] for call in products])
    samples = work.data.calibration(step.samples, work.seed)
    values = inner.predict(list(samples), verbose=0)
    values = [values] if len(products) == 1 else values
    for call, x in zip(products, values, strict=True):
        error = _mean_error(call.layer, x, step.per_tensor)
        if call.layer.use_bias:
            call.layer.bias.assign(call.layer.bias.numpy() - error)
            continue
        norm = _norm_behind(found, call)
        if norm is None:
            work.notes.append(f"{call.layer.name} has no bias to correct")
        else:
            norm.moving_mean.assign(norm.moving_mean.numpy() + error)


def _mean_error(layer: Any, x: Array, per_tensor: bool) -> Array:
    """Return what the rounding of a layer's kernel adds to each output channel on average."""
    import tf_keras

    difference = type(layer).from_config(
        {**layer.get_config(), "activation": "linear", "use_bias": False}
    )
    difference.build(x.shape)
    kernel = layer.get_weights()[0]
    flat = by_output(layer)
    difference.set_weights([(_rounded(flat, per_tensor) - flat).reshape(kernel.shape)])
    outputs = tf_keras.Sequential([difference]).predict(x, verbose=0)
    return np.asarray(outputs.reshape(-1, outputs.shape[-1]).mean(axis=0))


def _rounded(kernel: Array, per_tensor: bool) -> Array:
    """Return a kernel, (weights, output channels), as symmetric int8 represents it."""
    largest = np.abs(kernel).max(axis=None if per_tensor else 0)
    scale = np.maximum(largest / 127.0, 1e-12)
    return np.asarray(np.clip(np.round(kernel / scale), -127, 127) * scale)


def _norm_behind(found: list[Call], call: Call) -> Any | None:
    """Return the BatchNormalization that alone reads a call's output."""
    readers = [c for c in found if any(t is call.outputs[0] for t in c.inputs)]
    lone = len(readers) == 1 and readers[0].kind == "BatchNormalization"
    return readers[0].layer if lone and call.layer.activation.__name__ == "linear" else None
