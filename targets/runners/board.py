"""A board that nothing here emulates: it has to be flashed, then reached over its serial port."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from edgec.pipeline.errors import DeviceError
from edgec.targets.links.base import Endpoint
from edgec.targets.profile import Target


def command(image: str, target: Target) -> list[str]:
    """Return nothing: there is no one command that starts an image on a board."""
    del image, target
    return []


def start(image: Path, target: Target) -> AbstractContextManager[Endpoint]:
    """Raise DeviceError: which board it is, and where, has to be said."""
    del image
    raise DeviceError(
        f"{target.name} is a board, and nothing here emulates it",
        "build with --no-verify, or measure the board itself",
    )
