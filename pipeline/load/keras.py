"""Loads `.keras` (v3) and `.h5` files, as Keras 2 and Keras 3 write them, into tf_keras layers."""

from __future__ import annotations

from pathlib import Path

from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.keras_archive import KerasFile, read_h5, read_keras
from edgec.pipeline.load.keras_config import parse
from edgec.pipeline.load.keras_layers import build
from edgec.pipeline.load.keras_weights import assign_by_name, assign_by_position


def load(path: Path) -> FloatModel:
    """Return the model of a `.keras` or `.h5` file, rebuilt layer by layer.

    The file is checked before TensorFlow is imported and never reaches Keras' own loader. Raises
    UnsupportedModelError naming the file or layer, and what is wrong with it.
    """
    return rebuild(read(path))


def read(path: Path) -> KerasFile:
    """Return what the file holds, checked, with no framework imported."""
    return read_keras(path) if path.suffix.lower() == ".keras" else read_h5(path)


def rebuild(file: KerasFile) -> FloatModel:
    """Return the model that a file describes, built layer by layer."""
    architecture = parse(file.config, keras_major=file.keras_major)
    model, built, inputs, outputs = build(architecture)
    if file.by_name:
        assign_by_name(built, file.weights)
    else:
        assign_by_position(built, file.weights)
    return FloatModel(model, inputs, outputs)
