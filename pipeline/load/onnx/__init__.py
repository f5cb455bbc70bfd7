"""Imports ONNX models as trainable Keras models with the file's weights.

Needs TensorFlow and onnx, so it runs in the worker process; importing the package loads neither.
"""

from __future__ import annotations

from pathlib import Path

from edgec.pipeline.load.float_model import FloatModel


def load(path: Path) -> FloatModel:
    """Read an ONNX file and build the `tf_keras` model it describes.

    Raise UnsupportedModelError, listing every node that cannot be imported, or saying what is wrong
    with the file.
    """
    from edgec.pipeline.load.onnx.assembly import assemble
    from edgec.pipeline.load.onnx.model_file import read_model

    return assemble(read_model(path), path.name)
