"""Flashes a board that is plugged in, and leaves its console to the serial link.

Which tool, which probe and which port are options that `at_board` sets; what is not said is found
out, and refused where more than one fits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edgec.pipeline.errors import DeviceError, ToolMissingError, UsageError
from edgec.targets.board import Board
from edgec.targets.detection import Plugged, choose, scan
from edgec.targets.flash_failures import failed
from edgec.targets.flash_tool import FlashTool, Job, flash_tool, program_path
from edgec.targets.flashing import Flashed, Note, run_tool
from edgec.targets.links.base import Endpoint
from edgec.targets.locks import held, port_key
from edgec.targets.profile import Target

PORT_S = 10.0
"""How long a serial port may take to come back after a reset."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user says of the board: all may be left out.

    `serial` is the probe's whole serial number, or `usb:` and its location. `unlock` erases a
    locked chip. `wait_s` is how long to wait for a probe that is in use.
    """

    serial: str = ""
    port: str = ""
    tool: str = ""
    erase: bool = False
    unlock: bool = False
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class AtHand:
    """A board that is plugged in, and the tool that reaches it."""

    target: Target
    board: Board
    plugged: Plugged
    tool: FlashTool
    wish: Wish

    @property
    def where(self) -> str:
        """How errors name it."""
        name = self.plugged.serial or self.plugged.port
        return f"{self.target.name} ({name})" if name else self.target.name

    def job(self, elf: Path) -> Job:
        """Return what a tool's command line for an image is made of."""
        serial, location = self.plugged.serial, ""
        if self.wish.serial.startswith("usb:") and (self.plugged.shared or not serial):
            # Nothing but its place tells this probe from others.
            serial, location = "", self.plugged.location
        flash = next((m for m in self.target.memories if m.kind == "flash"), None)
        return Job(
            images={
                kind: str(elf.with_suffix(f".{kind}")) for kind in ("elf", "bin", "hex", "uf2")
            },
            options=self.board.flash[self.tool.name],
            address=flash.origin if flash is not None else 0,
            serial=serial if "serial" in self.tool.can else "",
            usb_id=self.plugged.usb_id,
            location=location if "serial" in self.tool.can else "",
            port=self.plugged.port if self.tool.name != "uf2" else "",
            erase=self.wish.erase,
            unlock=self.wish.unlock,
        )


def at_board(target: Target, wish: Wish) -> Target:
    """Return a target whose images go to the board that is plugged in.

    Raises UsageError if it is none that a tool can flash.
    """
    if target.board is None or not target.board.flash:
        raise UsageError(
            f"{target.name} is not a board", "'edgec boards list' shows those; or give --port"
        )
    options: dict[str, str | int] = {
        "serial": wish.serial,
        "port": wish.port,
        "tool": wish.tool,
        "erase": int(wish.erase),
        "unlock": int(wish.unlock),
        "wait_s": wish.wait_s,
    }
    return replace(target, runner="board", link="serial", runner_options=options)


def probe_of(target: Target) -> tuple[str, str]:
    """Return serial number and tool of a board's probe, as they were given; empty if not."""
    wish = _wish(target) if target.runner == "board" else Wish()
    return wish.serial, wish.tool


def command(image: str, target: Target) -> list[str]:
    """Return what puts an image on the board with the preferred tool, `make run` runs it."""
    del image, target
    return ["$(MAKE)", "flash"]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Flash the board and hold it until leaving.

    Raises DeviceError if it is not there, more than one is, or it has no console, and where nobody
    has said that a board is to be flashed.
    """
    if not target.runner_options:
        raise DeviceError(
            f"{target.name} is a board, and nothing here emulates it",
            "build with --no-verify, or measure the board itself with 'edgec bench --board'",
        )
    at_hand = find_board(target)
    if not at_hand.plugged.port:
        assert target.board is not None
        raise failed("port-not-found", f"{at_hand.where}: console ({target.board.console})")
    with locked(at_hand):
        act(at_hand, "flash", image)
        yield endpoint(at_hand, image)


@contextmanager
def locked(at_hand: AtHand) -> Iterator[None]:
    """Hold the board's probe and its console."""
    wait_s, port = at_hand.wish.wait_s, at_hand.plugged.port
    with held(at_hand.plugged.key, wait_s=wait_s), ExitStack() as stack:
        if port:
            stack.enter_context(held(port_key(port), wait_s=wait_s))
        yield


def find_board(target: Target) -> AtHand:
    """Find the board that a target stands for, and the tool to reach it."""
    wish, board = _wish(target), target.board
    assert board is not None
    tool = _tool(target.name, board, wish.tool)
    if not wish.serial and wish.port and "port" in tool.can:
        return AtHand(target, board, Plugged(port=wish.port), tool, wish)
    # A boot loader is no probe, and a probe no boot loader.
    things = [t for t in scan() if t.in_bootloader == tool.bootloader or "port" in tool.can]
    absent = "not-in-bootloader" if tool.bootloader else "probe-not-found"
    plugged = choose(things, target.name, serial=wish.serial, port=wish.port, absent=absent)
    return AtHand(target, board, plugged, tool, wish)


def act(at_hand: AtHand, what: str, image: Path, note: Note | None = None) -> Flashed:
    """Let the tool `flash`, `erase` or `reset` the board."""
    return run_tool(at_hand.tool, what, at_hand.job(image), at_hand.where, note=note)


def endpoint(at_hand: AtHand, image: Path) -> Endpoint:
    """Return the board's console, once it is there."""
    _await_port(at_hand)
    reset: Callable[[], None] | None = None
    if at_hand.tool.reset is not None:

        def reset() -> None:
            act(at_hand, "reset", image)
            _await_port(at_hand)

    return Endpoint(
        address=at_hand.plugged.port, baud=at_hand.board.baud, reset=reset, name=at_hand.where
    )


def _await_port(at_hand: AtHand) -> None:
    """Wait for the console: one that is the chip's own goes away when it is flashed or reset."""
    deadline = time.monotonic() + PORT_S
    while not Path(at_hand.plugged.port).exists():
        if time.monotonic() > deadline:
            raise failed("port-not-found", f"{at_hand.where}: {at_hand.plugged.port}")
        time.sleep(0.1)


def _wish(target: Target) -> Wish:
    options = target.runner_options
    return Wish(
        serial=str(options.get("serial", "")),
        port=str(options.get("port", "")),
        tool=str(options.get("tool", "")),
        erase=bool(options.get("erase", 0)),
        unlock=bool(options.get("unlock", 0)),
        wait_s=int(options.get("wait_s", 0)),
    )


def _tool(name: str, board: Board, wanted: str) -> FlashTool:
    """Return the tool that was asked for, else the board's first that is installed."""
    if wanted:
        tool = flash_tool(wanted)
        if wanted not in board.flash:
            known = ", ".join(board.flash)
            raise UsageError(f"{name} has no [flash.{wanted}]", f"it is flashed by {known}")
        return tool
    tools = [flash_tool(one) for one in board.flash]
    for tool in tools:
        if program_path(tool.program) is not None:
            return tool
    raise ToolMissingError(
        f"none of the tools that flash {name} is installed: {', '.join(t.name for t in tools)}",
        tools[0].install,
        "tool-missing",
    )
