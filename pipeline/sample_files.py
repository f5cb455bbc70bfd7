"""Reads the files and folders that samples come in, as they are; see `edgec.pipeline.calibration`.

What is checked here is what only the file knows: its kind, its names, a line or image that is of
another size. Shapes and values of the whole are the caller's.
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

Arrays = Mapping[str, npt.NDArray[Any]]

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png")
MAX_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What samples of one input must look like.

    `declared` is the range of values that the model says it takes, and `declared_by` in words
    where it says so; None and empty where it says nothing. `binding` is whether the model states
    the range outright, so that values outside are an error, or it was read off its first layer.
    `dtype` is numpy's name for the type that the model takes.
    """

    port: Port
    declared: tuple[float, float] | None = None
    declared_by: str = ""
    binding: bool = False
    dtype: str = "float32"

    @property
    def integers(self) -> bool:
        """Whether the input is whole numbers, as token ids or a mask: it has no range."""
        return np.dtype(self.dtype).kind in "iu"

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


def read_arrays(path: Path, inputs: Sequence[InputSpec]) -> Arrays:
    """Return an array for each input, samples along axis 0, or raise DataError."""
    suffix = path.suffix.lower()
    if suffix == ".npz" and path.is_file():
        return _read_npz(path, inputs)
    only = _only_input(path, inputs)
    if path.is_dir():
        return {only.name: read_folder(path, only)}
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


def require_loadable(path: Path) -> None:
    """Raise DataError for an `.npz` of more bytes than are read."""
    with zipfile.ZipFile(path) as archive:
        total = sum(info.file_size for info in archive.infolist())
    if total > MAX_BYTES:
        raise DataError(f"{path}: {total} bytes of samples, at most {MAX_BYTES}")


def _read_npz(path: Path, inputs: Sequence[InputSpec]) -> Arrays:
    require_loadable(path)
    with np.load(path, allow_pickle=False) as file:
        wanted = [spec.name for spec in inputs]
        if len(wanted) == 1 and wanted[0] not in file.files:
            lone = "x" if "x" in file.files else file.files[0]
            if lone == "x" or len(file.files) == 1:
                return {wanted[0]: file[lone]}
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


def read_folder(path: Path, spec: InputSpec) -> npt.NDArray[Any]:
    """Stack the images or the `.npy` files of a folder, by name, or raise DataError."""
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
        raise DataError(f"{file}: shape {list(array.shape)}, {wanted_shape(spec)} wanted")
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


def wanted_shape(spec: InputSpec) -> str:
    """Say which shapes a sample may have."""
    if spec.shape == spec.keras_shape:
        return str(list(spec.shape))
    return f"{list(spec.shape)} (the model's layout) or {list(spec.keras_shape)} (channels last)"
