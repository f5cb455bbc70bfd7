"""Reads `.keras` and `.h5` files without trusting them: limits first, then JSON and plain arrays.

Only h5py and the standard library are used, so a hostile file is refused before TensorFlow is
imported. No member is ever unpacked to disk, and no link inside an HDF5 file is followed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgec.pipeline.errors import UnsupportedModelError

MAX_MEMBERS = 1000
MAX_CONFIG_BYTES = 64 << 20
MAX_WEIGHTS_BYTES = 1 << 30
MAX_RATIO = 1000
MAX_H5_OBJECTS = 100_000
MAX_H5_DEPTH = 32

_TRAINING_STATE = ("optimizer", "_optimizer")
_NO_MODEL = "holds no whole model"
_SAVE_WHOLE = "save the whole model: model.save(...), not model.save_weights(...)"


@dataclass(frozen=True, slots=True)
class Group:
    """A group of an HDF5 file, read into memory: groups and arrays by name.

    `weight_names` is the list that `.h5` files keep for a layer, of paths below its group.
    """

    name: str
    groups: Mapping[str, Group]
    arrays: Mapping[str, npt.NDArray[Any]]
    weight_names: tuple[str, ...]

    def find(self, path: str) -> npt.NDArray[Any] | None:
        """Return the array at a path below this group, or None."""
        *parents, last = path.strip("/").split("/")
        group: Group | None = self
        for parent in parents:
            group = None if group is None else group.groups.get(parent)
        return None if group is None else group.arrays.get(last)


@dataclass(frozen=True, slots=True)
class KerasFile:
    """What a model file holds: its config as JSON data, its weights as arrays.

    `keras_major` is the major version that wrote it; `by_name` says that the weights are grouped
    by layer name (`.h5`) rather than by class and position (`.keras`).
    """

    config: Any
    weights: Group
    keras_major: int
    by_name: bool


def read_keras(path: Path) -> KerasFile:
    """Read a `.keras` archive, checked against every limit; raise UnsupportedModelError."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _check_members(archive, path)
            config = _json(_read(archive, members, "config.json", MAX_CONFIG_BYTES, path), path)
            metadata = _json(_read(archive, members, "metadata.json", MAX_CONFIG_BYTES, path), path)
            blob = _read(archive, members, "model.weights.h5", MAX_WEIGHTS_BYTES, path)
    except UnsupportedModelError:
        raise
    except Exception as error:
        # zipfile raises half a dozen classes for damage: BadZipFile, zlib.error, struct.error …
        raise UnsupportedModelError(
            f"{path.name}: not a readable .keras archive: {error}"
        ) from None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    weights, _ = _read_h5(io.BytesIO(blob), path, "/")
    return KerasFile(config, weights, _major(version, path), by_name=False)


def read_h5(path: Path) -> KerasFile:
    """Read a whole-model `.h5` file, checked against every limit; raise UnsupportedModelError."""
    weights, attributes = _read_h5(path, path, "model_weights")
    config = attributes.get("model_config")
    if config is None:
        raise UnsupportedModelError(f"{path.name}: {_NO_MODEL}", _SAVE_WHOLE)
    major = _major(attributes.get("keras_version"), path)
    backend = _text(attributes.get("backend", "tensorflow"))
    if major < 3 and backend != "tensorflow":
        raise UnsupportedModelError(
            f"{path.name}: written by Keras {major} on {backend}, whose kernels are flipped; "
            "tensorflow wanted"
        )
    return KerasFile(_json(_text(config), path), weights, major, by_name=True)


def _check_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise UnsupportedModelError(f"{path.name}: {len(infos)} members, at most {MAX_MEMBERS}")
    members = {info.filename: info for info in infos}
    if len(members) != len(infos):
        raise UnsupportedModelError(f"{path.name}: two members of the archive share a name")
    return members


def _read(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    name: str,
    limit: int,
    path: Path,
) -> bytes:
    info = members.get(name)
    if info is None:
        raise UnsupportedModelError(
            f"{path.name}: the archive has no {name}", "save the model again with model.save(...)"
        )
    where = f"{path.name}: {name}"
    if info.flag_bits & 1:
        raise UnsupportedModelError(f"{where} is encrypted")
    if info.file_size > limit:
        raise UnsupportedModelError(f"{where} is {info.file_size} bytes, at most {limit}")
    if info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise UnsupportedModelError(f"{where} is compressed more than {MAX_RATIO}:1")
    with archive.open(info) as stream:
        data = stream.read(limit + 1)
    if len(data) != info.file_size:
        raise UnsupportedModelError(
            f"{where} holds {len(data)} bytes, the directory says {info.file_size}"
        )
    return data


def _read_h5(source: Any, path: Path, root: str) -> tuple[Group, dict[str, Any]]:
    """Return the group `root` of an HDF5 file, and the file's attributes."""
    import h5py

    try:
        with h5py.File(source, "r") as file:
            attributes = dict(file.attrs.items())
            if root not in file:
                raise UnsupportedModelError(f"{path.name}: {_NO_MODEL}", _SAVE_WHOLE)
            if root != "/" and not isinstance(file.get(root, getlink=True), h5py.HardLink):
                raise UnsupportedModelError(f"{path.name}: {root} is a soft or external link")
            return _GroupReader(path).read(file[root], 0), attributes
    except UnsupportedModelError:
        raise
    except Exception as error:
        # h5py has no class of its own for damage: OSError, RuntimeError, KeyError, ValueError …
        text = " ".join(str(error).split())
        raise UnsupportedModelError(f"{path.name}: damaged HDF5 content: {text}") from None


class _GroupReader:
    """Reads groups by hand: only hard links, no loops, plain local arrays, bounded in sum."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: set[int] = set()
        self.total = 0

    def read(self, group: Any, depth: int) -> Group:
        import h5py

        if depth > MAX_H5_DEPTH:
            raise UnsupportedModelError(f"{self.path.name}: HDF5 groups over {MAX_H5_DEPTH} deep")
        groups, arrays = {}, {}
        for name in group:
            where = f"{self.path.name}: {group.name.rstrip('/')}/{name}"
            if depth == 0 and name in _TRAINING_STATE:
                continue
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnsupportedModelError(f"{where} is a soft or external link")
            item = group[name]
            self._count(h5py.h5o.get_info(item.id).addr, where)
            if isinstance(item, h5py.Group):
                groups[name] = self.read(item, depth + 1)
            else:
                self.total += _array_bytes(item, where)
                if self.total > MAX_WEIGHTS_BYTES:
                    raise UnsupportedModelError(f"{where}: over {MAX_WEIGHTS_BYTES} weight bytes")
                arrays[name] = np.asarray(item)
        names = tuple(_text(name) for name in group.attrs.get("weight_names", ()))
        return Group(str(group.name), groups, arrays, names)

    def _count(self, address: int, where: str) -> None:
        if address in self.seen:
            raise UnsupportedModelError(f"{where} is linked twice")
        self.seen.add(address)
        if len(self.seen) > MAX_H5_OBJECTS:
            raise UnsupportedModelError(f"{where}: over {MAX_H5_OBJECTS} HDF5 objects")


def _array_bytes(item: Any, where: str) -> int:
    import h5py

    if not isinstance(item, h5py.Dataset):
        raise UnsupportedModelError(f"{where} is neither a group nor an array")
    if item.is_virtual or item.external:
        raise UnsupportedModelError(f"{where} keeps its data outside the file")
    if item.dtype.kind not in "fiub":
        raise UnsupportedModelError(f"{where} holds {item.dtype}, numbers wanted")
    stored = item.id.get_storage_size()
    if item.nbytes > MAX_RATIO * max(stored, 64):
        raise UnsupportedModelError(f"{where} claims {item.nbytes} bytes and stores {stored}")
    return int(item.nbytes)


def _json(data: bytes | str, path: Path) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnsupportedModelError(
            f"{path.name}: the model's config is not JSON: {error}"
        ) from None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _major(version: Any, path: Path) -> int:
    text = _text(version) if version is not None else ""
    major = text.split(".")[0]
    if not major.isdigit() or not 2 <= int(major) <= 3:
        raise UnsupportedModelError(
            f"{path.name}: written by Keras {text or 'of unknown version'}, 2 or 3 wanted"
        )
    return int(major)
