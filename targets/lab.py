"""The boards that are plugged in here: `lab.toml`, read strictly."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import UsageError
from edgec.targets.locks import port_key
from edgec.targets.profile import Target, load_target
from edgec.targets.profile_table import Table
from edgec.targets.runners.board import Wish, at_board
from edgec.targets.runners.port import at_port
from edgec.targets.runners.ssh import reached_by_ssh

LAB = "lab.toml"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class LabBoard:
    """A board of the lab: its type is a target, shipped or a `.toml` beside the lab's file.

    `probe` is the whole serial number of its probe, `console` its serial port by a lasting name,
    `tool` what flashes it; `ssh` reaches a computer. Without any of these the type has to be one
    that an emulator runs, or this machine. `place` is its name in labgrid.
    """

    name: str
    type: str
    target: Target
    probe: str = ""
    console: str = ""
    tool: str = ""
    ssh: str = ""
    place: str = ""

    @property
    def key(self) -> str:
        """What its lock is named by: whoever has the same probe or port waits."""
        port = port_key(self.console) if self.console else ""
        return self.probe or port or f"lab-{self.ssh or self.name}"


@dataclass(frozen=True, slots=True)
class Labgrid:
    """Where labgrid is: the Python that has it, and its coordinator's HOST:PORT."""

    python: Path
    coordinator: str


@dataclass(frozen=True, slots=True)
class Lab:
    """The boards of this machine; `golden` is a folder of firmware that is known to work.

    `path` is the file itself.
    """

    name: str
    boards: tuple[LabBoard, ...]
    labgrid: Labgrid | None = None
    golden: Path | None = None
    path: Path = Path(LAB)


def load_lab(path: Path) -> Lab:
    """Read a lab's file; raise UsageError for anything that is wrong with it."""
    try:
        table = Table(path.name, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}", "write one: docs/hil.md shows how"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from error
    boards = tuple(
        _board(path, number, values) for number, values in enumerate(table.take("board", list))
    )
    grid = table.take("labgrid", dict, None)
    lab = Lab(
        name=table.take("name", str, "lab"),
        boards=boards,
        labgrid=None if grid is None else _labgrid(path, grid),
        golden=_path(path, table.take("golden", str, "")),
        path=path,
    )
    table.done()
    _check(path, lab)
    return lab


def usual_lab() -> Lab | None:
    """Return the lab that EDGEC_LAB names, else lab.toml of this folder, None if there is none."""
    told = os.environ.get("EDGEC_LAB")
    path = Path(told or LAB)
    return load_lab(path) if told or path.is_file() else None


def wished(name: str, wish: Wish) -> tuple[str, Wish]:
    """Return the type of a board, and the wish with what the lab knows of it.

    `name` is a board of the lab, or a type: that of its only board with a probe or console.
    """
    lab = usual_lab()
    boards = () if lab is None else lab.boards
    fits = [board for board in boards if board.name == name]
    if not fits and not wish.serial and not wish.port:
        fits = [b for b in boards if b.type == name and (b.probe or b.console)]
    if len(fits) != 1:
        return name, wish
    board = fits[0]
    known = replace(
        wish,
        serial=wish.serial or board.probe,
        port=wish.port or board.console,
        tool=wish.tool or board.tool,
    )
    return board.type, known


def _board(path: Path, number: int, values: Any) -> LabBoard:
    table = Table(f"{path.name}: board {number}", values)
    name, kind = table.take("name", str), table.take("type", str)
    target = load_target(path.parent / kind if kind.endswith(".toml") else kind)
    board = LabBoard(
        name=name,
        type=target.name,
        target=target,
        probe=table.take("probe", str, ""),
        console=table.take("console", str, ""),
        tool=table.take("tool", str, ""),
        ssh=table.take("ssh", str, ""),
        place=table.take("place", str, ""),
    )
    table.done()
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{table.where}: {name!r} is not a name",
            "take letters, digits, dot, hyphen, underscore",
        )
    if board.ssh and (board.probe or board.console or board.tool):
        raise UsageError(f"{table.where}: ssh does not go with probe, console or tool")
    return board


def _labgrid(path: Path, values: Any) -> Labgrid:
    table = Table(f"{path.name}: labgrid", values)
    python = path.parent / Path(table.take("python", str)).expanduser()
    grid = Labgrid(python, table.take("coordinator", str, "127.0.0.1:20408"))
    table.done()
    return grid


def _path(path: Path, text: str) -> Path | None:
    return path.parent / Path(text).expanduser() if text else None


def _check(path: Path, lab: Lab) -> None:
    """Raise UsageError for boards that are there twice, and places without a labgrid."""
    if not lab.boards:
        raise UsageError(f"{path.name}: no boards", "add a [[board]] with name and type")
    for what, values in {
        "name": [board.name for board in lab.boards],
        "probe": [board.probe for board in lab.boards if board.probe],
        "console": [board.console for board in lab.boards if board.console],
        "place": [board.place for board in lab.boards if board.place],
    }.items():
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise UsageError(f"{path.name}: two boards have the {what} {twice[0]!r}")
    places = [board.name for board in lab.boards if board.place]
    if places and lab.labgrid is None:
        raise UsageError(
            f"{path.name}: board {places[0]!r} has a place, but there is no [labgrid]",
            'add [labgrid] with python = "…", of the environment that labgrid is installed in',
        )


def reached(board: LabBoard, wait_s: int = 60) -> Target:
    """Return the board's target as it is reached: over SSH, by its probe, its port, or as it is.

    Raises UsageError if the target cannot be reached so.
    """
    if board.ssh:
        return reached_by_ssh(board.target, board.ssh)
    if board.probe or board.tool:
        wish = Wish(serial=board.probe, port=board.console, tool=board.tool, wait_s=wait_s)
        return at_board(board.target, wish)
    return at_port(board.target, board.console) if board.console else board.target
