"""Finds the model to learn from: the recipe's float original, or a file. Worker process only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgec.pipeline.compress.work import Work, load_model
from edgec.pipeline.errors import UsageError


def original_model(work: Work) -> Any:
    """Return the float model that the recipe began with."""
    return load_model(work.original)[0].keras


def load_teacher(path: str, work: Work) -> Any:
    """Return the model of a .keras, .h5 or .onnx file or SavedModel folder; "" is the original.

    Raises UsageError where its inputs or outputs are not those of `work.model`.
    """
    if not path:
        return original_model(work)
    from edgec.pipeline.load.source import Format, detect
    from edgec.pipeline.lower.converter import load_float_model

    file = Path(path)
    kind = detect(file)
    if kind is Format.TFLITE:
        raise UsageError(
            f"teacher {path}: a .tflite file, a float model wanted",
            "give the .keras, .h5 or .onnx file that it was made from",
        )
    teacher = load_float_model(file, kind, work.report).keras
    for what in ("inputs", "outputs"):
        got, wanted = _shapes(getattr(teacher, what)), _shapes(getattr(work.model, what))
        if got != wanted:
            raise UsageError(
                f"teacher {path}: {what} {got}, wanted {wanted} as the model has",
                "a teacher takes the same samples and tells the same classes apart",
            )
    return teacher


def _shapes(tensors: Any) -> list[tuple[int, ...]]:
    return [tuple(int(size) for size in tensor.shape[1:]) for tensor in tensors]
