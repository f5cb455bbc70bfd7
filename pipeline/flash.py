"""Puts the firmware of a bundle, or of a firmware folder, on a board, and asks it who it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from edgec.pipeline.bundle import MANIFEST, read_bundle
from edgec.pipeline.errors import UsageError
from edgec.targets.device_messages import Hello
from edgec.targets.flashing import Flashed, Note
from edgec.targets.profile import load_target
from edgec.targets.runners.board import Wish, act, at_board, endpoint, find_board, locked
from edgec.targets.session import connected
from edgec.targets.toolchain import build_image


@dataclass(frozen=True, slots=True)
class OnBoard:
    """An image that is on a board; `hello` is what it answered, None where there is no console."""

    board: str
    serial: str
    port: str
    image: Path
    flashed: Flashed
    hello: Hello | None


def flash(
    root: Path,
    wish: Wish | None = None,
    *,
    board: str | None = None,
    profile: bool = False,
    note: Note | None = None,
) -> OnBoard:
    """Compile what a folder holds if need be, flash it, and check that this build answers.

    `board` is another profile than the one it was built for, of the same target. Raises the named
    failures of flashing, DeviceError if the board is not there or more than one is.
    """
    project = project_of(root)
    facts = json.loads((project / "firmware.json").read_text(encoding="utf-8"))
    target = load_target(board or facts["target"])
    if target.name != facts["target"]:
        raise UsageError(
            f"{root}: the firmware was built for {facts['target']}, not for {target.name}",
            f"edgec build --target {target.name}",
        )
    target = at_board(target, wish or Wish())
    at_hand = find_board(target)
    image = build_image(project, target, profile=profile)
    with locked(at_hand):
        flashed = act(at_hand, "flash", image.elf, note)
        hello = None
        if at_hand.plugged.port:
            with connected(image, "serial", endpoint(at_hand, image.elf)) as device:
                hello = device.info
    return OnBoard(
        target.name, at_hand.plugged.serial, at_hand.plugged.port, image.elf, flashed, hello
    )


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
