"""Reads weights that an ONNX file keeps beside itself, without leaving its folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from edgec.pipeline.errors import UnsupportedModelError


def read_external(folder: Path, name: str, entries: Mapping[str, str], wanted: int) -> bytes:
    """Read the `wanted` bytes of tensor `name` from the file that `entries` describe.

    The location must be a relative path without `..` whose every component is a real folder or
    file, no symbolic link, and offset and length must lie within the file.
    """
    location = entries.get("location", "")
    parts = location.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise _refusal(name, location, "wanted a relative path inside the model's folder")
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(wanted)))
    except ValueError as error:
        raise _refusal(name, location, f"offset or length is not a number: {error}") from error
    if offset < 0 or length != wanted:
        raise _refusal(
            name, location, f"{length} bytes at offset {offset}, wanted {wanted} for its shape"
        )
    try:
        descriptor = _open_inside(folder, parts)
    except OSError as error:
        raise _refusal(name, location, f"cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(name, location, "is not a regular file")
        if offset + length > status.st_size:
            raise _refusal(
                name,
                location,
                f"{length} bytes at offset {offset} in a file of {status.st_size} bytes",
            )
        file.seek(offset)
        return file.read(length)


def _open_inside(folder: Path, parts: list[str]) -> int:
    """Open a path component by component, following no symbolic link below `folder`."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = below
        # A FIFO would block the open for ever without O_NONBLOCK.
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    finally:
        os.close(directory)


def _refusal(name: str, location: str, why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"external data of {name!r} in {location!r}: {why}",
        "save the model as one file (onnx.save with save_as_external_data=False)",
    )
