"""Lowers a float model file to a `.tflite` of integers or float32, through TensorFlow's converter.

This side imports no framework: the work happens in `edgec.pipeline.lower.converter`, in a worker.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgec.pipeline.errors import DataError, UnsupportedModelError, UsageError
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.worker import Report, run_stage

Quantize = Literal["int8", "int16x8", "float32", "float16", "dynamic-range"]

_CONVERTER = "edgec.pipeline.lower.converter"


@dataclass(frozen=True, slots=True)
class Lowered:
    """A converted model, and what has to be said about it.

    `inputs` and `outputs` are the source's ports, in the order of the `.tflite`'s, which has the
    layout of `Port.keras_shape`. `calibration` says in words which samples set the ranges;
    `synthetic` is whether they were drawn at random. `versions` are the frameworks that did it.
    """

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    calibration: str
    synthetic: bool
    versions: Mapping[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One layer of a float model; `macs` are multiply-accumulates of one inference."""

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


def lower(
    model: Path,
    out: Path,
    *,
    quantize: Quantize = "int8",
    calibration: Path | None = None,
    progress: Report | None = None,
) -> Lowered:
    """Convert a `.keras`, `.h5`, `.onnx` file or SavedModel folder to the `.tflite` file `out`.

    int8 means int8 in and out and per-channel weights, with ranges from the samples of
    `calibration` (see `edgec.pipeline.calibration`), or from synthetic ones without; int16x8 means
    the same with int16 in, out and in between; dynamic-range means weights of int8 and the rest in
    float32, without samples. The result has batch 1, and the same input gives the
    same bytes. Raises UnsupportedModelError, DataError or ToolMissingError; `out` is written whole
    or not at all.
    """
    kind = detect(model)
    if kind is Format.TFLITE:
        raise _refuse_tflite(model, quantize)
    if calibration is not None and not calibration.exists():
        raise DataError(f"{calibration}: no such calibration file or folder")
    with _folder_beside(out) as folder:
        made = Path(folder) / "model.tflite"
        request = {
            "model": str(model.absolute()),
            "format": kind.name,
            "out": str(made.absolute()),
            "quantize": quantize,
            "calibration": None if calibration is None else str(calibration.absolute()),
        }
        answer = run_stage(f"{_CONVERTER}:convert", request, progress=progress)
        made.replace(out)
    return Lowered(
        path=out,
        inputs=_ports(answer["inputs"]),
        outputs=_ports(answer["outputs"]),
        calibration=answer["calibration"],
        synthetic=answer["synthetic"],
        versions=answer["versions"],
        warnings=tuple(answer["warnings"]),
    )


def _folder_beside(out: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=".edgec-", dir=out.parent)
    except OSError as error:
        raise UsageError(f"{out.parent}: cannot be written to: {error.strerror}") from None


def float_outputs(
    model: Path, samples: Path, out: Path, *, progress: Report | None = None
) -> tuple[Port, ...]:
    """Run the float model on `samples` and write its outputs to the `.npz` file `out`.

    `samples` is anything that calibration takes. `out` holds one float32 array an output, named
    and laid out as in the source file, samples along axis 0. Returns the output ports.
    """
    request = {
        "model": str(model.absolute()),
        "format": _float_format(model).name,
        "samples": str(samples.absolute()),
        "out": str(out.absolute()),
    }
    answer = run_stage(f"{_CONVERTER}:float_outputs", request, progress=progress)
    return _ports(answer["outputs"])


def summarize(model: Path, *, progress: Report | None = None) -> tuple[LayerSummary, ...]:
    """Return the layers of a float model in order, as `edgec inspect` shows them."""
    request = {"model": str(model.absolute()), "format": _float_format(model).name}
    answer = run_stage(f"{_CONVERTER}:summarize", request, progress=progress)
    return tuple(
        LayerSummary(
            name=layer["name"],
            type=layer["type"],
            output_shape=tuple(layer["output_shape"]),
            parameters=layer["parameters"],
            macs=layer["macs"],
        )
        for layer in answer["layers"]
    )


def _float_format(model: Path) -> Format:
    kind = detect(model)
    if kind is Format.TFLITE:
        raise UnsupportedModelError(
            f"{model.name}: is a .tflite file, a .keras, .h5, .onnx or SavedModel wanted"
        )
    return kind


def _refuse_tflite(model: Path, quantize: Quantize) -> UnsupportedModelError:
    if quantize == "float32":
        return UnsupportedModelError(f"{model.name}: is a .tflite file already")
    return UnsupportedModelError(
        f"{model.name}: a float .tflite cannot be quantised, because TensorFlow's quantiser "
        "starts from the layers, which the file no longer has",
        "give the Keras or ONNX model it was made from, or build it as it is: --quantize float32",
    )


def _ports(entries: Any) -> tuple[Port, ...]:
    return tuple(
        Port(entry["name"], tuple(entry["shape"]), tuple(entry["to_keras"])) for entry in entries
    )
