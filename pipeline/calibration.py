"""Reads and checks the samples that set the ranges of a quantised model, or draws them.

A sample set is one array for each input of the model, samples along axis 0. It may come as

- `.npz`: one array for each input, named as the input; the name is free if there is one of each;
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgec.pipeline.errors import DataError, ToolMissingError
from edgec.pipeline.load.float_model import Port

Samples = dict[str, npt.NDArray[np.float32]]

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png")
MAX_BYTES = 4 << 30
SYNTHETIC_COUNT = 100
SYNTHETIC_SEED = 0
UNDECLARED_RANGE = (-1.0, 1.0)
"""What synthetic inputs are drawn from where the model declares no range: covers both [0, 1] and
[-1, 1], the two usual normalisations, at the price of one bit of the input for the first."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What samples of one input must look like.

    `declared` is the range of values that the model says it takes, and `declared_by` in words
    where it says so; None and empty where it says nothing. `binding` is whether the model states
    the range outright, so that values outside are an error, or it was read off its first layer.
    """

    port: Port
    declared: tuple[float, float] | None = None
    declared_by: str = ""
    binding: bool = False

    @property
    def name(self) -> str:
        """The input's name in the source file."""
        return self.port.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample in the source layout, without batch."""
        return self.port.shape[1:]

    @property
    def keras_shape(self) -> tuple[int, ...]:
        """The shape of one sample in the compiled model's layout, without batch."""
        return self.port.keras_shape[1:]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Samples in the compiled model's layout, in the order of the inputs, and where they are from.

    `description` is for people; `synthetic` marks samples drawn at random.
    """

    samples: tuple[npt.NDArray[np.float32], ...]
    description: str
    synthetic: bool
    warnings: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.samples[0])


def calibrate(path: Path | None, inputs: Sequence[InputSpec]) -> Calibration:
    """Return the samples of `path`, or synthetic ones where it is None."""
    if path is None:
        return _synthetic(inputs)
    samples = load_samples(path, inputs)
    arrays = tuple(samples[spec.name] for spec in inputs)
    count = len(arrays[0])
    warnings = [w for spec in inputs for w in _range_warnings(path, spec, samples[spec.name])]
    if count < 10:
        warnings.append(f"{path.name}: {count} calibration samples are few, 100 or more wanted")
    return Calibration(arrays, f"{path.name}: {count} samples", False, tuple(warnings))


def load_samples(path: Path, inputs: Sequence[InputSpec]) -> Samples:
    """Read samples for every input, as float32 in the compiled model's layout.

    Raises DataError where the file is missing or damaged, an input has no samples, or a shape,
    count or value does not fit; ToolMissingError where images are given and Pillow is missing.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    try:
        arrays = _read(path, inputs)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    samples = {spec.name: _fitted(path, spec, arrays[spec.name]) for spec in inputs}
    counts = {name: len(array) for name, array in samples.items()}
    if len(set(counts.values())) > 1:
        raise DataError(f"{path}: as many samples wanted for each input, got {counts}")
    return samples


def _read(path: Path, inputs: Sequence[InputSpec]) -> Mapping[str, npt.NDArray[Any]]:
    suffix = path.suffix.lower()
    if suffix == ".npz" and path.is_file():
        return _read_npz(path, inputs)
    only = _only_input(path, inputs)
    if path.is_dir():
        return {only.name: _read_folder(path, only)}
    if suffix == ".npy":
        return {only.name: _read_npy(path)}
    if suffix == ".csv":
        return {only.name: _read_csv(path, only)}
    raise DataError(
        f"{path}: unknown kind of samples", "known: .npz, .npy, .csv, a folder of images or .npy"
    )


def _only_input(path: Path, inputs: Sequence[InputSpec]) -> InputSpec:
    if len(inputs) != 1:
        names = ", ".join(spec.name for spec in inputs)
        raise DataError(
            f"{path}: samples for one input, the model has {len(inputs)}: {names}",
            "give an .npz with one array for each input, named as the input",
        )
    return inputs[0]


def _read_npz(path: Path, inputs: Sequence[InputSpec]) -> Mapping[str, npt.NDArray[Any]]:
    with zipfile.ZipFile(path) as archive:
        total = sum(info.file_size for info in archive.infolist())
    if total > MAX_BYTES:
        raise DataError(f"{path}: {total} bytes of samples, at most {MAX_BYTES}")
    with np.load(path, allow_pickle=False) as file:
        wanted = [spec.name for spec in inputs]
        if len(inputs) == 1 and len(file.files) == 1:
            return {wanted[0]: file[file.files[0]]}
        missing = [name for name in wanted if name not in file.files]
        if missing:
            raise DataError(
                f"{path}: no array for input {missing[0]!r}, got {sorted(file.files)}",
                f"name the arrays as the inputs: {', '.join(wanted)}",
            )
        return {name: file[name] for name in wanted}


def _read_npy(path: Path) -> npt.NDArray[Any]:
    array = np.load(path, allow_pickle=False, mmap_mode="r")
    if array.nbytes > MAX_BYTES:
        raise DataError(f"{path}: {array.nbytes} bytes of samples, at most {MAX_BYTES}")
    return np.asarray(array)


def _read_csv(path: Path, spec: InputSpec) -> npt.NDArray[Any]:
    rows = []
    with path.open(encoding="utf-8", newline="") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = [float(cell) for cell in line.split(",")]
            except ValueError:
                if number == 1:
                    continue
                raise DataError(
                    f"{path}: line {number} holds something else than numbers"
                ) from None
            wanted = int(np.prod(spec.shape))
            if len(row) != wanted:
                raise DataError(
                    f"{path}: line {number} has {len(row)} numbers, input {spec.name!r} of shape "
                    f"{list(spec.shape)} takes {wanted}"
                )
            rows.append(row)
    if not rows:
        raise DataError(f"{path}: no samples in the file")
    return np.asarray(rows, np.float64).reshape(len(rows), *spec.shape)


def _read_folder(path: Path, spec: InputSpec) -> npt.NDArray[Any]:
    files = sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    arrays = [file for file in files if file.suffix.lower() == ".npy"]
    if images and arrays:
        raise DataError(f"{path}: images and .npy files in one folder, either wanted")
    if images:
        return np.stack([_read_image(file, spec) for file in images])
    if not arrays:
        raise DataError(
            f"{path}: no samples in the folder", f"known: .npy {' '.join(IMAGE_SUFFIXES)}"
        )
    return np.stack([_one_sample(file, spec) for file in arrays])


def _one_sample(file: Path, spec: InputSpec) -> npt.NDArray[Any]:
    array = _read_npy(file)
    if array.shape[:1] == (1,) and array.ndim == len(spec.shape) + 1:
        array = array[0]
    if array.shape not in (spec.shape, spec.keras_shape):
        raise DataError(f"{file}: shape {list(array.shape)}, {_wanted(spec)} wanted")
    return array


def _read_image(file: Path, spec: InputSpec) -> npt.NDArray[np.float32]:
    """Read an image in the compiled model's layout, scaled to the declared range."""
    try:
        from PIL import Image
    except ImportError:
        raise ToolMissingError(
            "reading images needs pillow", "pip install 'edgec[tensorflow]'"
        ) from None
    shape = spec.keras_shape
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise DataError(
            f"{file}: an image for input {spec.name!r} of shape {list(spec.shape)}, which is none",
            "give the samples as .npy or .npz",
        )
    height, width, channels = shape
    with Image.open(file) as image:
        if image.size != (width, height):
            raise DataError(
                f"{file}: {image.width}x{image.height} pixels, {width}x{height} wanted",
                "resize the images as the model's training did; edgec does not guess how",
            )
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"), np.float32)
    low, high = spec.declared or (0.0, 1.0)
    scaled = low + pixels.reshape(shape) * np.float32((high - low) / 255.0)
    return np.asarray(scaled, np.float32)


def _wanted(spec: InputSpec) -> str:
    if spec.shape == spec.keras_shape:
        return str(list(spec.shape))
    return f"{list(spec.shape)} (the model's layout) or {list(spec.keras_shape)} (channels last)"


def _fitted(path: Path, spec: InputSpec, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return samples as float32 in the compiled model's layout, or raise DataError."""
    where = f"{path}: input {spec.name!r}"
    if array.dtype.kind not in "fiub":
        raise DataError(f"{where}: values of type {array.dtype}, numbers wanted")
    if array.ndim == 0 or len(array) == 0:
        raise DataError(f"{where}: no samples")
    shape = array.shape[1:]
    if shape == spec.shape:
        array = array.transpose(spec.port.to_keras)
    elif shape != spec.keras_shape:
        raise DataError(
            f"{where}: samples of shape {list(shape)}, {_wanted(spec)} wanted",
            "the first axis counts the samples",
        )
    values = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(values).all():
        sample = int(np.argwhere(~np.isfinite(values))[0][0])
        raise DataError(f"{where}: sample {sample} holds a value that is not finite")
    return values


def _range_warnings(path: Path, spec: InputSpec, values: npt.NDArray[np.float32]) -> Sequence[str]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise DataError(
            f"{path}: input {spec.name!r}: every value is {low:g}, so there is no range to measure"
        )
    if spec.declared is None:
        return ()
    wanted_low, wanted_high = spec.declared
    slack = 0.01 * (wanted_high - wanted_low)
    outside = low < wanted_low - slack or high > wanted_high + slack
    if outside and spec.binding:
        raise DataError(
            f"{path}: input {spec.name!r}: values span [{low:g}, {high:g}], "
            f"[{wanted_low:g}, {wanted_high:g}] wanted ({spec.declared_by})"
        )
    if outside or high - low < 0.05 * (wanted_high - wanted_low):
        return (
            f"{path.name}: input {spec.name!r} spans [{low:g}, {high:g}], the model takes "
            f"[{wanted_low:g}, {wanted_high:g}] ({spec.declared_by}); wrong scaling?",
        )
    return ()


def _synthetic(inputs: Sequence[InputSpec]) -> Calibration:
    """Draw uniform samples from each input's range; the same ones every time."""
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
