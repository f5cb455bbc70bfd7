"""What a profile says of a board that one can buy: how to recognise, flash and read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgec.pipeline.errors import TargetError
from edgec.targets.profile_table import Table, plain_options

TIMERS = ("dwt", "systick", "timer", "cpu")

_USB_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class Board:
    """A board one can buy: how to recognise it, talk to it and flash it.

    `usb` are VID:PID in lower-case hex of what it shows on USB, its probe's mostly: hints, as many
    boards share one. `timer` of `TIMERS` is what should count cycles there; the firmware says what
    does. `console` says where its UART comes out. `flash` has the options of each tool that can
    flash it, the preferred first. `board_id` is what pyOCD reads off a DAPLink or ST-LINK there. A
    profile is `untried` as long as no board was attached.
    """

    vendor: str
    mcu: str
    usb: tuple[str, ...]
    baud: int
    timer: str
    console: str
    flash: Mapping[str, Mapping[str, str | int]]
    board_id: str = ""
    untried: bool = True


def read_board(where: str, values: Any, flash: Any) -> Board | None:
    """Read the tables `[board]` and `[flash.…]`; None where there are none."""
    if values is None:
        if flash is not None:
            raise TargetError(f"{where}: [flash.…] without [board]")
        return None
    table = Table(f"{where}: board", values)
    tools = Table(f"{where}: flash", {} if flash is None else flash)
    board = Board(
        vendor=table.take("vendor", str),
        mcu=table.take("mcu", str),
        usb=table.strings("usb", []),
        baud=table.take("baud", int, 115200),
        timer=table.take("timer", str),
        console=table.take("console", str),
        flash={
            name: plain_options(f"{where}: flash.{name}", tools.take(name, dict))
            for name in (() if flash is None else flash)
        },
        board_id=table.take("board_id", str, ""),
        untried=table.take("untried", bool, True),
    )
    table.done()
    return board


def board_problem(board: Board) -> str:
    """Return what is wrong with a board's facts; empty if nothing is."""
    wrong = [text for text in board.usb if not _USB_ID.fullmatch(text)]
    if wrong:
        return f"board: usb: {wrong[0]!r} is not VID:PID in lower-case hex"
    if board.timer not in TIMERS:
        return f"board: unknown timer {board.timer!r}, known: {', '.join(TIMERS)}"
    if not 1200 <= board.baud <= 4_000_000:
        return f"board: a baud of {board.baud}"
    tools = [name for name in board.flash if not name.isidentifier()]
    return f"flash: {tools[0]!r} is not a runner" if tools else ""
