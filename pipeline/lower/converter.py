"""The worker's side of lowering: load a float model, convert it, run it, list its layers.

Each public function is a stage of `edgec.pipeline.worker`: JSON in, JSON out, TensorFlow imported
inside.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.calibration import Calibration, calibrate, load_samples
from edgec.pipeline.load.float_model import FloatModel, Port
from edgec.pipeline.load.source import Format
from edgec.pipeline.lower.conversion import Conversion, Numbers, to_tflite
from edgec.pipeline.lower.converted_file import float_ops
from edgec.pipeline.lower.input_range import input_specs
from edgec.pipeline.lower.layer_cost import layer_summary
from edgec.pipeline.worker import Progress, Report

_BATCH = 64
_READ_S = 20


def convert(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Convert the model of the request to `.tflite`; see `edgec.pipeline.lower.tflite.lower`."""
    model_path, kind = Path(request["model"]), Format[request["format"]]
    model = load_float_model(model_path, kind, report)
    calibration = None
    if request["quantize"] in ("int8", "int16x8"):
        path = request["calibration"]
        specs = input_specs(model, model_path, kind)
        calibration = calibrate(None if path is None else Path(path), specs)
    content = to_tflite(
        model, model_path.name, _conversion(request["quantize"], calibration), report
    )
    warnings = list(calibration.warnings) if calibration else []
    if calibration and (names := float_ops(content)):
        form = request["quantize"]
        warnings.append(f"the converter has no {form} form of {', '.join(names)}: left in float32")
    _write(Path(request["out"]), content)
    return {
        "inputs": _described(model.inputs),
        "outputs": _described(model.outputs),
        "calibration": calibration.description if calibration else f"none: {request['quantize']}",
        "synthetic": calibration is not None and calibration.synthetic,
        "warnings": warnings,
        "versions": _versions(),
    }


def float_outputs(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Run the float model on samples; see `edgec.pipeline.lower.tflite.float_outputs`."""
    model_path, kind = Path(request["model"]), Format[request["format"]]
    model = load_float_model(model_path, kind, report)
    specs = input_specs(model, model_path, kind)
    samples = load_samples(Path(request["samples"]), specs)
    arrays = [samples[spec.name] for spec in specs]
    count = len(arrays[0])
    batches: list[list[np.ndarray]] = [[] for _ in model.outputs]
    at_once = model.keras.inputs[0].shape[0] or _BATCH  # some models have a batch of their own
    for start in range(0, count, at_once):
        report(Progress("float_outputs", start, count, "running the float model"))
        values = model.keras([array[start : start + at_once] for array in arrays], training=False)
        values = values if isinstance(values, (list, tuple)) else [values]
        for batch, value in zip(batches, values, strict=True):
            batch.append(np.asarray(value, np.float32))
    outputs = {
        port.name: np.concatenate(batch).transpose(np.argsort(port.to_keras))
        for port, batch in zip(model.outputs, batches, strict=True)
    }
    with Path(request["out"]).open("wb") as stream:
        np.savez(stream, allow_pickle=False, **outputs)
    return {"outputs": _described(model.outputs)}


def summarize(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """List the model's layers; see `edgec.pipeline.lower.tflite.summarize`."""
    model = load_float_model(Path(request["model"]), Format[request["format"]], report)
    return {
        "layers": [layer_summary(layer) for layer in model.keras.layers],
        "inputs": _described(model.inputs),
        "outputs": _described(model.outputs),
    }


def load_float_model(path: Path, kind: Format, report: Report) -> FloatModel:
    """Load a Keras, ONNX or SavedModel file as a trainable Keras model."""
    report(Progress("load", 0, 0, f"reading {path.name}"))
    if kind is Format.ONNX:
        from edgec.pipeline.load import onnx

        return onnx.load(path)
    if kind is Format.SAVEDMODEL:
        from edgec.pipeline.load import savedmodel

        return savedmodel.load(path)
    from edgec.pipeline.load import keras

    with _time_limit(_READ_S):
        file = keras.read(path)
    return keras.rebuild(file)


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """End this process where the block takes longer: the HDF5 library can loop on damaged files."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _conversion(numbers: Numbers, calibration: Calibration | None) -> Conversion:
    if calibration is None:
        return Conversion(numbers)
    return Conversion(numbers, calibration.samples, calibration.description)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _described(ports: Sequence[Port]) -> list[dict[str, Any]]:
    return [
        {"name": port.name, "shape": list(port.shape), "to_keras": list(port.to_keras)}
        for port in ports
    ]


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "tensorflow", "tf-keras")}
