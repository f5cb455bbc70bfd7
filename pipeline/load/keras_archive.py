"""Opens `.keras` and `.h5` files without trusting them: limits first, then JSON and plain arrays.

Only h5py and the standard library are used, so a hostile file is refused before TensorFlow is
imported. No member is ever unpacked to disk, and no link inside an HDF5 file is followed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import UnsupportedModelError

MAX_MEMBERS = 1000
MAX_CONFIG_BYTES = 64 << 20
MAX_WEIGHTS_BYTES = 1 << 30
MAX_RATIO = 1000
MAX_H5_OBJECTS = 100_000


@dataclass(frozen=True, slots=True)
class KerasFile:
    """An open model file: its config as JSON data, its weights as an h5py group.

    `keras_major` is the major version that wrote it; `by_name` says that the weights are grouped
    by layer name (`.h5`) rather than by class and position (`.keras`).
    """

    config: Any
    weights: Any
    keras_major: int
    by_name: bool


@contextmanager
def open_keras(path: Path) -> Iterator[KerasFile]:
    """Open a `.keras` archive, checked against every limit; raise UnsupportedModelError."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _check_members(archive, path)
            config = _json(_read(archive, members, "config.json", MAX_CONFIG_BYTES, path), path)
            metadata = _json(_read(archive, members, "metadata.json", MAX_CONFIG_BYTES, path), path)
            blob = _read(archive, members, "model.weights.h5", MAX_WEIGHTS_BYTES, path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnsupportedModelError(
            f"{path.name}: not a readable .keras archive: {error}"
        ) from None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    with _open_h5(io.BytesIO(blob), path) as weights:
        yield KerasFile(config, weights, _major(version, path), by_name=False)


@contextmanager
def open_h5(path: Path) -> Iterator[KerasFile]:
    """Open a whole-model `.h5` file, checked against every limit; raise UnsupportedModelError."""
    with _open_h5(path, path) as root:
        config = root.attrs.get("model_config")
        if config is None or "model_weights" not in root:
            raise UnsupportedModelError(
                f"{path.name}: holds weights without a model",
                "save the whole model: model.save(...), not model.save_weights(...)",
            )
        major = _major(root.attrs.get("keras_version"), path)
        backend = root.attrs.get("backend", "tensorflow")
        if major < 3 and _text(backend) != "tensorflow":
            raise UnsupportedModelError(
                f"{path.name}: written by Keras {major} on {_text(backend)}, whose kernels are "
                "flipped; tensorflow wanted"
            )
        data = _json(_text(config).encode(), path)
        yield KerasFile(data, root["model_weights"], major, by_name=True)


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


@contextmanager
def _open_h5(source: Any, path: Path) -> Iterator[Any]:
    import h5py

    try:
        file = h5py.File(source, "r")
    except OSError as error:
        reason = str(error).split("(", 1)[-1].rstrip(")")
        raise UnsupportedModelError(f"{path.name}: not a readable HDF5 file: {reason}") from None
    with file:
        try:
            _check_h5(file, path)
            yield file
        except (OSError, RuntimeError, KeyError) as error:
            text = " ".join(str(error).split())
            raise UnsupportedModelError(f"{path.name}: corrupt HDF5 content: {text}") from None


def _check_h5(root: Any, path: Path) -> None:
    """Walk the groups by hand: only hard links, no loops, plain local arrays, bounded in sum."""
    import h5py

    seen: set[int] = set()
    total = 0
    stack = [root]
    while stack:
        group = stack.pop()
        for name in group:
            where = f"{path.name}: {group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnsupportedModelError(f"{where} is a soft or external link")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise UnsupportedModelError(f"{where} is linked twice")
            seen.add(address)
            if len(seen) > MAX_H5_OBJECTS:
                raise UnsupportedModelError(f"{path.name}: over {MAX_H5_OBJECTS} HDF5 objects")
            if isinstance(item, h5py.Group):
                stack.append(item)
                continue
            total += _array_bytes(item, where)
            if total > MAX_WEIGHTS_BYTES:
                raise UnsupportedModelError(f"{path.name}: over {MAX_WEIGHTS_BYTES} weight bytes")


def _array_bytes(item: Any, where: str) -> int:
    import h5py

    if not isinstance(item, h5py.Dataset):
        raise UnsupportedModelError(f"{where} is neither a group nor an array")
    if item.is_virtual or item.external:
        raise UnsupportedModelError(f"{where} keeps its data outside the file")
    if item.dtype.kind not in "fiub":
        # Training state may hold strings; it is never read.
        return 0
    stored = item.id.get_storage_size()
    if item.nbytes > MAX_RATIO * max(stored, 64):
        raise UnsupportedModelError(f"{where} claims {item.nbytes} bytes and stores {stored}")
    return int(item.nbytes)


def _json(data: bytes, path: Path) -> Any:
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
