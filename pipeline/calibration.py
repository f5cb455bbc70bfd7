"""Reads and checks the samples that set the ranges of a quantised model, or draws them.

A sample set is one array for each input of the model, samples along axis 0. It may come as

- `.npz`: one array for each input, named as the input; for a model of one input the array may
  also be called `x`, or have any name if it is the only one;
- `.npy`: one array, for a model of one input;
- `.csv`: one row a sample, the numbers of one input in order of its shape; a header is allowed;
- a folder of images (.png .jpg .jpeg .bmp), of the input's very size, grey or RGB as its channel
  count says, scaled from 0..255 to the declared input range, [0, 1] where none is declared;
- a folder of `.npy` files, one sample each.

Arrays are taken in the layout of the source file (NCHW from PyTorch) or in the layout of the
compiled model (NHWC). Everything else is a DataError that says what is wrong where.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgec.pipeline.errors import DataError
from edgec.pipeline.sample_files import InputSpec, read_arrays, wanted_shape

__all__ = ["Calibration", "InputSpec", "Samples", "calibrate", "load_samples"]

Samples = dict[str, npt.NDArray[Any]]

SYNTHETIC_COUNT = 100
SYNTHETIC_SEED = 0
UNDECLARED_RANGE = (-1.0, 1.0)
"""What synthetic inputs are drawn from where the model declares no range: covers both [0, 1] and
[-1, 1], the two usual normalisations, at the price of one bit of the input for the first."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Samples in the compiled model's layout, in the order of the inputs, and where they are from.

    `description` is for people; `synthetic` marks samples drawn at random.
    """

    samples: tuple[npt.NDArray[Any], ...]
    description: str
    synthetic: bool
    warnings: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.samples[0])


def calibrate(path: Path | None, inputs: Sequence[InputSpec]) -> Calibration:
    """Return the samples of `path`, or synthetic ones where it is None.

    Raises DataError where an input takes whole numbers and there is no path.
    """
    if path is None:
        return _synthetic(inputs)
    samples = load_samples(path, inputs)
    arrays = tuple(samples[spec.name] for spec in inputs)
    count = len(arrays[0])
    warnings = [
        warning
        for spec in inputs
        for warning in range_warnings(str(path), spec, samples[spec.name])
    ]
    if count < 10:
        warnings.append(f"{path.name}: {count} calibration samples are few, 100 or more wanted")
    return Calibration(arrays, f"{path.name}: {count} samples", False, tuple(warnings))


def load_samples(path: Path, inputs: Sequence[InputSpec]) -> Samples:
    """Read samples for every input, as its type and in the compiled model's layout.

    Raises DataError where the file is missing or damaged, an input has no samples, or a shape,
    count or value does not fit; ToolMissingError where images are given and Pillow is missing.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    try:
        arrays = read_arrays(path, inputs)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    samples = {
        spec.name: fitted(f"{path}: input {spec.name!r}", spec, arrays[spec.name])
        for spec in inputs
    }
    counts = {name: len(array) for name, array in samples.items()}
    if len(set(counts.values())) > 1:
        raise DataError(f"{path}: as many samples wanted for each input, got {counts}")
    return samples


def fitted(where: str, spec: InputSpec, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return samples as the input's type in the compiled model's layout, or raise DataError.

    `where` names the array in the error.
    """
    if array.dtype.kind not in "fiub":
        raise DataError(f"{where}: values of type {array.dtype}, numbers wanted")
    if array.ndim == 0 or len(array) == 0:
        raise DataError(f"{where}: no samples")
    shape = array.shape[1:]
    if shape == spec.shape:
        array = array.transpose(spec.port.to_keras)
    elif shape != spec.keras_shape:
        raise DataError(
            f"{where}: samples of shape {list(shape)}, {wanted_shape(spec)} wanted",
            "the first axis counts the samples",
        )
    kind = np.float64 if spec.integers else np.float32
    values: npt.NDArray[Any] = np.ascontiguousarray(array, dtype=kind)
    if not np.isfinite(values).all():
        sample = int(np.argwhere(~np.isfinite(values))[0][0])
        raise DataError(f"{where}: sample {sample} holds a value that is not finite")
    if spec.integers:
        return _whole(where, spec, values)
    return values


def _whole(where: str, spec: InputSpec, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    limits = np.iinfo(spec.dtype)
    wrong = (values != np.trunc(values)) | (values < limits.min) | (values > limits.max)
    if wrong.any():
        sample = int(np.argwhere(wrong)[0][0])
        raise DataError(
            f"{where}: sample {sample} holds {values[wrong][0]:g}, the model takes {spec.dtype}"
        )
    return values.astype(spec.dtype)


def range_warnings(where: str, spec: InputSpec, values: npt.NDArray[Any]) -> Sequence[str]:
    """Say where samples do not span the declared range; raise DataError where they must."""
    if spec.integers:
        return ()
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise DataError(
            f"{where}: input {spec.name!r}: every value is {low:g}, so there is no range to measure"
        )
    if spec.declared is None:
        return ()
    wanted_low, wanted_high = spec.declared
    slack = 0.01 * (wanted_high - wanted_low)
    outside = low < wanted_low - slack or high > wanted_high + slack
    if outside and spec.binding:
        raise DataError(
            f"{where}: input {spec.name!r}: values span [{low:g}, {high:g}], "
            f"[{wanted_low:g}, {wanted_high:g}] wanted ({spec.declared_by})"
        )
    if outside or high - low < 0.05 * (wanted_high - wanted_low):
        return (
            f"{Path(where).name}: input {spec.name!r} spans [{low:g}, {high:g}], the model takes "
            f"[{wanted_low:g}, {wanted_high:g}] ({spec.declared_by}); wrong scaling?",
        )
    return ()


def _synthetic(inputs: Sequence[InputSpec]) -> Calibration:
    """Draw uniform samples from each input's range; the same ones every time."""
    if names := [repr(spec.name) for spec in inputs if spec.integers]:
        raise DataError(
            f"no calibration samples for {', '.join(names)}, wanted for inputs of whole numbers: "
            "random token ids would set ranges that no text has",
            "give --calibration FILE.npz, or --quantize dynamic-range, which needs no samples",
        )
    generator = np.random.default_rng(SYNTHETIC_SEED)
    arrays, ranges = [], []
    for spec in inputs:
        low, high = spec.declared or UNDECLARED_RANGE
        shape = (SYNTHETIC_COUNT, *spec.keras_shape)
        arrays.append(generator.uniform(low, high, shape).astype(np.float32))
        source = spec.declared_by if spec.declared else "no range declared"
        prefix = f"{spec.name} " if len(inputs) > 1 else ""
        ranges.append(f"{prefix}[{low:g}, {high:g}] ({source})")
    description = f"synthetic: {SYNTHETIC_COUNT} samples uniform in {', '.join(ranges)}"
    warning = (
        "calibrated on synthetic inputs: the int8 model's accuracy is not that of a model "
        "calibrated on real data; give --calibration"
    )
    return Calibration(tuple(arrays), description, True, (warning,))
