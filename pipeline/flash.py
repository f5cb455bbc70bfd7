"""Puts the firmware of a bundle, or of a firmware folder, on a board, and asks it who it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgec.pipeline.bundle import MANIFEST, read_bundle
from edgec.pipeline.errors import ToolMissingError, UsageError
from edgec.targets.device_messages import Hello
from edgec.targets.flashing import Flashed, Note
from edgec.targets.lab import wished
from edgec.targets.profile import Target, load_target
from edgec.targets.runners.board import Wish, act, at_board, endpoint, find_board, locked
from edgec.targets.session import connected
from edgec.targets.toolchain import Image, build_image


@dataclass(frozen=True, slots=True)
class OnBoard:
    """An image that is on a board; `hello` is what it answered, None where there is no console."""

    board: str
    serial: str
    port: str
    image: Path
    flashed: Flashed
    hello: Hello | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """What another program than make has compiled: known by its build, as an image is."""

    elf: Path
    model_sha256: str
    build: str
    profile: bool = False


def flash(
    root: Path,
    wish: Wish | None = None,
    *,
    board: str | None = None,
    profile: bool = False,
    note: Note | None = None,
) -> OnBoard:
    """Compile what a folder holds if need be, flash it, and check that this build answers.

    `board` is one of the lab's, or the type that it was built for. Raises the named
    failures of flashing, DeviceError if the board is not there or more than one is.
    """
    project = project_of(root)
    facts = json.loads((project / "firmware.json").read_text(encoding="utf-8"))
    kind, known = wished(board or facts["target"], wish or Wish())
    target = load_target(kind)
    if target.name != facts["target"]:
        raise UsageError(
            f"{root}: the firmware was built for {facts['target']}, not for {target.name}",
            f"edgec build --target {target.name}",
        )
    target = at_board(target, known)
    at_hand = find_board(target)
    image = _firmware(project, target, facts, profile)
    with locked(at_hand):
        flashed = act(at_hand, "flash", image.elf, note)
        hello = None
        if at_hand.plugged.port:
            with connected(image, "serial", endpoint(at_hand, image.elf)) as device:
                hello = device.info
    return OnBoard(
        target.name, at_hand.plugged.serial, at_hand.plugged.port, image.elf, flashed, hello
    )


def _firmware(
    project: Path, target: Target, facts: Mapping[str, Any], profile: bool
) -> Image | Compiled:
    """Compile a firmware project, or take what another program has compiled."""
    if not target.toolchain.builder:
        return build_image(project, target, profile=profile)
    made = project / "build" / "flash_args"
    if profile or not made.is_file():
        what = "times each layer" if profile else "is flashed"
        raise ToolMissingError(
            f"{project}: nothing is compiled yet that {what}",
            f"{target.toolchain.builder} build, in that folder"
            + (", with -DEDGEC_PROFILE=1; then make flash" if profile else ""),
        )
    # The files that are flashed are named in flash_args, beside where an image would be.
    return Compiled(made.with_name("image.elf"), facts["model_sha256"], facts["build"])


def project_of(root: Path) -> Path:
    """Return the firmware project that a folder is, or that a bundle holds."""
    project = root / "firmware" if (root / MANIFEST).is_file() else root
    if (root / MANIFEST).is_file():
        read_bundle(root)
    if not (project / "firmware.json").is_file():
        raise UsageError(
            f"{root}: neither a bundle with firmware nor a firmware folder",
            "give the folder that 'edgec build' wrote",
        )
    return project
