"""Share of labelled samples that a classifier gets right: in float, in int8, and on the device."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgec.pipeline.calibration import load_samples
from edgec.pipeline.errors import DataError
from edgec.pipeline.graph import Array, DType, Interface, Tensor
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.lower.tflite import float_outputs
from edgec.pipeline.oracle import Oracle
from edgec.pipeline.report.result import Accuracy
from edgec.pipeline.sample_files import InputSpec
from edgec.pipeline.verify import run_sample
from edgec.targets.device_protocol import Device


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Test samples: float32 inputs in the compiled model's layout, and their class numbers."""

    inputs: Array
    labels: Array


def load_labelled(path: Path, port: Port, classes: int) -> Labelled:
    """Read a `.npz` with `x` (samples of the model's one input) and `y` (class numbers)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = {"x", "y"} - set(file.files)
            if missing:
                raise DataError(f"{path}: no array {sorted(missing)[0]!r}, got {file.files}")
            x, y = file["x"], file["y"]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if y.ndim != 1 or y.dtype.kind not in "iu" or len(y) != len(x) or not len(y):
        raise DataError(
            f"{path}: y is {y.dtype}{list(y.shape)}, {len(x)} whole numbers wanted, one a sample"
        )
    if y.min() < 0 or y.max() >= classes:
        raise DataError(f"{path}: labels {y.min()}..{y.max()}, the model has {classes} classes")
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        inputs = Path(folder) / "inputs.npz"
        np.savez(inputs, allow_pickle=False, **{port.name: x})
        samples = load_samples(inputs, [InputSpec(port)])
    return Labelled(samples[port.name], y.astype(np.int64))


def quantize(values: Array, tensor: Tensor) -> Array:
    """Return float32 values as the input tensor's type: rounded to nearest, saturated."""
    if tensor.dtype is DType.FLOAT32:
        return values.astype(np.float32)
    low, high = tensor.dtype.range
    steps = np.round(values / np.float32(tensor.q.scale)) + tensor.q.zero_point
    return np.asarray(np.clip(steps, low, high), tensor.dtype.numpy)


def measure_accuracy(
    ports: Interface,
    oracle: Oracle,
    labelled: Labelled,
    *,
    float_model: float | None = None,
    device: Device | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Accuracy:
    """Classify every sample by the oracle and, where there is one, on the device."""
    tensor = ports[ports.inputs[0]]
    samples = quantize(labelled.inputs, tensor)
    right = right_on_device = 0
    for number, (sample, label) in enumerate(zip(samples, labelled.labels, strict=True)):
        shaped = sample.reshape(tensor.shape)
        right += _class(oracle.run([shaped])) == label
        if device is not None:
            right_on_device += _class(run_sample(device, ports, [shaped])) == label
        if progress is not None:
            progress(number + 1, len(samples))
    count = len(samples)
    return Accuracy(
        count, float_model, right / count, None if device is None else right_on_device / count
    )


def float_accuracy(model: Path, labelled: Labelled, port: Port) -> float:
    """Return the accuracy of the float source model, run by its framework in a worker."""
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        samples, out = Path(folder) / "x.npz", Path(folder) / "y.npz"
        np.savez(samples, allow_pickle=False, **{port.name: labelled.inputs})
        ports = float_outputs(model, samples, out)
        with np.load(out) as file:
            scores = file[ports[0].name].reshape(len(labelled.labels), -1)
    return float(np.mean(scores.argmax(axis=1) == labelled.labels))


def _class(outputs: Sequence[Array]) -> int:
    return int(np.argmax(outputs[0]))
