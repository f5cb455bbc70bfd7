"""Boards that are kept out of runs until somebody has looked at them: `quarantine.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from edgec.pipeline.errors import UsageError
from edgec.targets.lab import Lab


def quarantine_path(lab: Lab) -> Path:
    """Return the list, beside the lab's file, so that all who use the lab share it."""
    return lab.path.with_name("quarantine.json")


def quarantined(lab: Lab) -> dict[str, str]:
    """Return the boards in quarantine, each with the reason."""
    path = quarantine_path(lab)
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(isinstance(why, str) for why in found.values()):
            raise ValueError("names of boards with reasons wanted")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}", "mend it, or remove it") from error
    return found


def put_in_quarantine(lab: Lab, name: str, why: str) -> None:
    """Keep a board out of runs."""
    _known(lab, name)
    _write(lab, {**quarantined(lab), name: why})


def lift_quarantine(lab: Lab, name: str) -> None:
    """Let a board take part again."""
    _known(lab, name)
    _write(lab, {n: why for n, why in quarantined(lab).items() if n != name})


def _known(lab: Lab, name: str) -> None:
    names = [board.name for board in lab.boards]
    if name not in names:
        raise UsageError(f"{lab.name} has no board {name!r}", f"it has {', '.join(names)}")


def _write(lab: Lab, boards: Mapping[str, str]) -> None:
    path = quarantine_path(lab)
    new = path.with_suffix(f".{os.getpid()}")
    try:
        new.write_text(json.dumps(boards, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
