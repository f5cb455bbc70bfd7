"""Reads labelled data: an `.npz`, a table, a folder of classes, or what a user's function returns.

What comes out is not yet checked against the model's shapes; see
`edgec.pipeline.compress.data_source`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.compress.data_table import read_table
from edgec.pipeline.compress.raw_data import Columns, RawData, RawPart, from_arrays
from edgec.pipeline.compress.user_code import user_function
from edgec.pipeline.errors import DataError
from edgec.pipeline.sample_files import (
    IMAGE_SUFFIXES,
    InputSpec,
    read_folder,
    require_loadable,
    wanted_shape,
)

SPLIT_FOLDERS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


def read_data(path: Path, inputs: Sequence[InputSpec], columns: Columns) -> RawData:
    """Read a file or folder, or raise DataError."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            return _read_class_folders(path, _only_input(path, inputs), columns)
        if suffix == ".npz":
            return from_arrays(str(path), _read_npz(path), inputs, columns)
        if suffix == ".csv":
            return read_table(path, _only_input(path, inputs), columns)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    raise DataError(
        f"{path}: unknown kind of labelled data", "known: .npz, .csv, a folder of class folders"
    )


def run_loader(
    function: str, folder: Path, where: str, inputs: Sequence[InputSpec], columns: Columns
) -> RawData:
    """Call the user's `module:function` and take what it returns: a dict of arrays, or (x, y)."""
    given = user_function(function, folder)()
    if isinstance(given, tuple) and len(given) == 2 and len(inputs) == 1:
        given = {"x": given[0], columns.label or "y": given[1]}
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        kind = type(given).__name__
        raise DataError(
            f"{where}: your function returned a {kind}, a dict of arrays wanted",
            "as in: return {'x': x, 'y': y}; for a model of one input also: return x, y",
        )
    return from_arrays(where, {name: _array(where, name, given[name]) for name in given}, inputs,
                       columns)  # fmt: skip


def _array(where: str, name: str, value: Any) -> Any:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {name!r} is no array: {error}") from None
    if array.dtype.kind == "O":
        raise DataError(f"{where}: {name!r} is an array of objects, of numbers or texts wanted")
    return array


def _only_input(path: Path, inputs: Sequence[InputSpec]) -> InputSpec:
    if len(inputs) != 1:
        names = ", ".join(spec.name for spec in inputs)
        raise DataError(
            f"{path}: data for one input, the model has {len(inputs)}: {names}",
            "give an .npz with one array for each input, named as the input, and y",
        )
    return inputs[0]


def _read_npz(path: Path) -> dict[str, Any]:
    require_loadable(path)
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _read_class_folders(path: Path, spec: InputSpec, columns: Columns) -> RawData:
    for name in (columns.group, columns.time, columns.label):
        if name is not None:
            raise DataError(f"{path}: a folder has no column {name!r}", "give an .npz or .csv")
    below = _subfolders(path)
    if "train" in {folder.name for folder in below}:
        foreign = [folder.name for folder in below if folder.name not in SPLIT_FOLDERS]
        if foreign:
            raise DataError(
                f"{path}: folder {foreign[0]!r} beside 'train'",
                f"known beside it: {', '.join(name for name in SPLIT_FOLDERS if name != 'train')}",
            )
        parts = {SPLIT_FOLDERS[folder.name]: _read_classes(folder, spec) for folder in below}
        if len(parts) < len(below):
            raise DataError(f"{path}: both 'val' and 'validation', either wanted")
        ordered = [name for name in ("train", "validation", "test") if name in parts]
        return RawData(str(path), {name: parts[name] for name in ordered})
    return RawData(str(path), {"train": _read_classes(path, spec)})


def _subfolders(path: Path) -> list[Path]:
    entries = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
    loose = [e for e in entries if e.is_file() and e.suffix.lower() in (*IMAGE_SUFFIXES, ".npy")]
    if loose:
        raise DataError(
            f"{path}: {loose[0].name} is in no class's folder",
            "put the samples of each class in a folder named as the class",
        )
    return [entry for entry in entries if entry.is_dir()]


def _read_classes(path: Path, spec: InputSpec) -> RawPart:
    """Read a folder of class folders; the targets are the folders' names."""
    folders = _subfolders(path)
    if not folders:
        raise DataError(f"{path}: no folder of a class in it")
    arrays = [read_folder(folder, spec) for folder in folders]
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        raise DataError(
            f"{path}: samples of shapes {sorted(shapes)}, {wanted_shape(spec)} wanted for all"
        )
    names = [np.full(len(a), f.name) for a, f in zip(arrays, folders, strict=True)]
    return RawPart({spec.name: np.concatenate(arrays)}, np.concatenate(names))
