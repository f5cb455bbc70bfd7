"""Which format a model file has, by its content and its name, which must agree."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from edgec.pipeline.errors import UnsupportedModelError, UsageError

_HEAD_BYTES = 8
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Format(Enum):
    """A model format; the value is what the user calls it."""

    KERAS = ".keras"
    H5 = ".h5"
    SAVEDMODEL = "SavedModel"
    ONNX = ".onnx"
    TFLITE = ".tflite"


_SUFFIXES = {
    ".keras": Format.KERAS,
    ".h5": Format.H5,
    ".hdf5": Format.H5,
    ".onnx": Format.ONNX,
    ".tflite": Format.TFLITE,
}


def detect(path: Path) -> Format:
    """Return the format of a model file or folder.

    Raises UsageError where there is none at `path`, and UnsupportedModelError where the content
    is of no known format or not what the name says.
    """
    try:
        if path.is_dir():
            if (path / "saved_model.pb").is_file():
                return Format.SAVEDMODEL
            raise UnsupportedModelError(
                f"{path}: the folder has no saved_model.pb, so it is no SavedModel"
            )
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such model file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if not head:
        raise UnsupportedModelError(f"{path.name}: the file is empty")
    named = _SUFFIXES.get(path.suffix.lower())
    if named is None:
        raise UnsupportedModelError(
            f"{path.name}: unknown model format {path.suffix or 'without suffix'!r}",
            f"known: {', '.join(_SUFFIXES)} and SavedModel folders",
        )
    content = _content(head)
    if content is not None and content is not named:
        raise UnsupportedModelError(
            f"{path.name}: the content is a {content.value} file, the name says {named.value}",
            f"rename it to {path.stem}{content.value}",
        )
    if content is None and named is not Format.ONNX:
        raise UnsupportedModelError(f"{path.name}: the content is no {named.value} file")
    return named


def require_float(path: Path, kind: Format) -> None:
    """Raise UnsupportedModelError for a `.tflite` file, which has no layers to train."""
    if kind is Format.TFLITE:
        raise UnsupportedModelError(
            f"{path.name}: a .tflite file has no layers to train",
            "give the Keras or ONNX model it was made from",
        )


def _content(head: bytes) -> Format | None:
    """Return the format that the first bytes show; ONNX, a bare protobuf, shows none."""
    if head == _HDF5:
        return Format.H5
    if head.startswith(_ZIP):
        return Format.KERAS
    if head[4:8] == b"TFL3":
        return Format.TFLITE
    return None
