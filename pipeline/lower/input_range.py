"""Which values a float model takes, as far as it says so.

An ONNX file states it in its metadata: `edgec.input_range` ("low,high" for every input, or one
`edgec.input_range.<input name>` each), or `Image.NominalPixelRange` of the ONNX specification. A
Keras model shows it by a first layer that normalises: Rescaling or Normalization.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.source import Format
from edgec.pipeline.sample_files import InputSpec

METADATA_KEY = "edgec.input_range"

_PIXEL_RANGES = {
    "NominalRange_0_255": (0.0, 255.0),
    "Normalized_0_1": (0.0, 1.0),
    "Normalized_1_1": (-1.0, 1.0),
    "NominalRange_16_235": (16.0, 235.0),
}
_DEVIATIONS = 3.0


def input_specs(model: FloatModel, path: Path, kind: Format) -> list[InputSpec]:
    """Return what samples of each input must look like, with its declared range if there is one."""
    metadata = _onnx_metadata(path) if kind is Format.ONNX else {}
    specs = []
    for port, tensor in zip(model.inputs, model.keras.inputs, strict=True):
        stated = _stated(metadata, port.name)
        if stated is not None:
            specs.append(InputSpec(port, stated[0], stated[1], True, tensor.dtype.name))
            continue
        declared, by = _shown_by_layers(model.keras, tensor) or (None, "")
        specs.append(InputSpec(port, declared, by, dtype=tensor.dtype.name))
    return specs


def _onnx_metadata(path: Path) -> dict[str, str]:
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    return {entry.key: entry.value for entry in model.metadata_props}


def _stated(metadata: dict[str, str], name: str) -> tuple[tuple[float, float], str] | None:
    for key in (f"{METADATA_KEY}.{name}", METADATA_KEY):
        if key in metadata:
            return _parsed(key, metadata[key]), f"declared as {key}"
    pixel = metadata.get("Image.NominalPixelRange")
    if pixel in _PIXEL_RANGES:
        return _PIXEL_RANGES[pixel], "declared as Image.NominalPixelRange"
    return None


def _parsed(key: str, text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.strip("[]() ").split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UnsupportedModelError(f"metadata {key} is {text!r}, two numbers 'low,high' wanted")
    return low, high


def _shown_by_layers(keras: Any, tensor: Any) -> tuple[tuple[float, float], str] | None:
    """Invert the layer that reads an input, where that layer normalises."""
    readers = [
        layer
        for layer in keras.layers
        for node in layer.inbound_nodes
        if any(read is tensor for read in node.keras_inputs)
    ]
    if len(readers) != 1:
        return None
    layer = readers[0]
    name = type(layer).__name__
    if name == "Rescaling":
        scale, offset = np.asarray(layer.scale), np.asarray(layer.offset)
        if not np.all(scale > 0):
            return None
        # What normalises maps to [0, 1], or to [-1, 1] when it also shifts down.
        bottom = np.where(offset < 0, -1.0, 0.0)
        low, high = (bottom - offset) / scale, (1.0 - offset) / scale
    elif name == "Normalization" and layer.mean is not None:
        mean, deviation = np.asarray(layer.mean), np.sqrt(np.asarray(layer.variance))
        low, high = mean - _DEVIATIONS * deviation, mean + _DEVIATIONS * deviation
    else:
        return None
    bounds = float(np.min(low)), float(np.max(high))
    return (bounds, f"read off the {name} layer") if bounds[0] < bounds[1] else None
