"""Which boards are plugged in: probes joined with their consoles, and what is known of each.

VID:PID is a hint and no board: every Nucleo has the same. What names a board is its serial number,
what pyOCD read from it, or the user; two that fit are refused, never guessed between.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edgec.pipeline.errors import DeviceError, EdgecError
from edgec.targets.board import Board
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.flash_failures import failed
from edgec.targets.flash_tool import program_path
from edgec.targets.links.base import BAUD, Endpoint, open_link
from edgec.targets.locks import held, port_key
from edgec.targets.profile import Target, board_names, load_target
from edgec.targets.usb import (
    BOOTLOADERS,
    SerialPort,
    UsbDevice,
    serial_ports,
    usb_devices,
    usb_is_listed,
)

LIST_TIMEOUT_S = 20.0
ASK_S = 0.3


@dataclass(frozen=True, slots=True)
class Plugged:
    """One thing plugged in: a probe, a boot loader or a serial port, and what belongs together.

    `port` is the console's lasting name. `boards` are the types it may be, one where `certain`.
    `note` says how that is known. A `shared` serial number is another's too, as clones have it.
    """

    serial: str = ""
    usb_id: str = ""
    location: str = ""
    product: str = ""
    port: str = ""
    boards: tuple[str, ...] = ()
    certain: bool = False
    note: str = ""
    shared: bool = False

    @property
    def in_bootloader(self) -> bool:
        """Whether it is a chip in the boot loader of its ROM."""
        return self.usb_id in BOOTLOADERS

    @property
    def key(self) -> str:
        """What a lock on it is named by."""
        own = "" if self.shared else self.serial
        return own or self.location or port_key(self.port)


def scan() -> list[Plugged]:
    """Return everything plugged in that may be a board, with the types it may be."""
    probes = [device for device in usb_devices() if device.is_probe or device.usb_id in BOOTLOADERS]
    things = join(probes, serial_ports())
    boards = {name: load_target(name) for name in board_names()}
    told = pyocd_probes()
    # pyOCD knows probes where there is no sysfs, and the serial numbers that are no text.
    seen = {thing.serial for thing in things}
    things += [Plugged(serial=serial) for serial in told if serial not in seen]
    return [identify(thing, boards, told) for thing in things]


def join(probes: Sequence[UsbDevice], ports: Sequence[SerialPort]) -> list[Plugged]:
    """Put each probe and its console together: by equal serial number, else by location."""
    left = list(ports)
    things = []
    for probe in probes:
        alone = sum(other.serial == probe.serial for other in probes) == 1
        by_serial = [p for p in left if probe.serial and alone and p.serial == probe.serial]
        by_location = [p for p in left if p.location and p.location == probe.location]
        # A probe with several ports has the console at the first, by its interface's number.
        own = by_serial or by_location
        left = [p for p in left if p not in own]
        port = own[0].path if own else ""
        what = BOOTLOADERS.get(probe.usb_id, probe.product)
        things.append(
            Plugged(probe.serial, probe.usb_id, probe.location, what, port, shared=not alone)
        )
    things += [Plugged(p.serial, p.usb_id, p.location, p.product, p.path) for p in left]
    return things


def pyocd_probes() -> Mapping[str, tuple[str, str]]:
    """Return what pyOCD knows of each probe by its serial number: the board's name and its chip."""
    program = program_path("pyocd")
    if program is None:
        return {}
    try:
        done = subprocess.run(
            [program, "json", "--probes"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=LIST_TIMEOUT_S,
            check=False,
        )
        listed = json.loads(done.stdout)["boards"]
        return {
            str(one["unique_id"]): (str(one["board_name"] or ""), str(one["target"] or ""))
            for one in listed
        }
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        # It only adds to what USB says; whoever flashes with it is told what it says then.
        return {}


def identify(
    thing: Plugged, boards: Mapping[str, Target], told: Mapping[str, tuple[str, str]]
) -> Plugged:
    """Say which types a thing may be: by what pyOCD says, else its board ID, else its VID:PID."""
    name, chip = told.get(thing.serial, ("", ""))
    facts = {kind: target.board for kind, target in boards.items() if target.board is not None}
    named = [kind for kind in facts if name and kind == name.lower().replace(" ", "-")]
    if not named and name and name != "Generic":
        chips = [
            k for k, b in facts.items() if chip and chip == b.flash.get("pyocd", {}).get("target")
        ]
        named = chips if len(chips) == 1 else []
    if named:
        return replace(thing, boards=(named[0],), certain=True, note="by pyOCD")
    hinted = {
        kind: board
        for kind, board in facts.items()
        if thing.usb_id in (*board.usb, board.flash.get("dfu_util", {}).get("device"))
    }
    if name and name != "Generic":
        return replace(thing, note=f"pyOCD says {name}")
    by_id = [k for k, b in hinted.items() if _has_id(b, thing.serial)]
    if len(by_id) == 1:
        return replace(
            thing, boards=(by_id[0],), certain=True, note="by the board ID in its serial"
        )
    return replace(thing, boards=tuple(hinted), note="by VID:PID alone" if hinted else "")


def _has_id(board: Board, serial: str) -> bool:
    """Return whether a DAPLink's serial number begins with the board's ID."""
    return bool(board.board_id) and "0d28:0204" in board.usb and serial.startswith(board.board_id)


def ask_all(things: Iterable[Plugged]) -> dict[str, str]:
    """Ask the firmware at each console who it is; return what it says, by port.

    A port that is in use is left alone. Opening one resets some boards.
    """
    answers = {}
    for thing in things:
        if not thing.port:
            continue
        boards = [load_target(name).board for name in thing.boards]
        bauds = {board.baud for board in boards if board is not None}
        try:
            with held(thing.key):
                link = open_link("serial", Endpoint(thing.port, baud=min(bauds, default=BAUD)))
                with contextlib.closing(link):
                    hello = Device(link, timeouts=Timeouts(reply_s=ASK_S)).hello()
            answers[thing.port] = f"{hello.model} ({hello.sha256[:12]}) for {hello.target}"
        except EdgecError as error:
            answers[thing.port] = error.message.splitlines()[0]
    return answers


def choose(
    things: Iterable[Plugged], board: str, *, serial: str = "", port: str = "",
    absent: str = "probe-not-found",
) -> Plugged:  # fmt: skip
    """Return the one thing that is the board: the serial number given, else the one that may be it.

    `serial` may be `usb:` and a location. `port` is its console; that of a thing that may be the
    board chooses it. Raises DeviceError if more than one fits, or nothing: the failure `absent`.
    """
    there = list(things)
    what = board
    if serial:
        location = serial.removeprefix("usb:") if serial.startswith("usb:") else ""
        fits = [t for t in there if (t.location == location if location else t.serial == serial)]
        what = f"serial {serial}" if not location else f"USB location {location}"
    else:
        sure = [t for t in there if t.certain and t.boards == (board,)]
        fits = sure or [t for t in there if board in t.boards]
        # The console may also be an adapter that is wired to the board, and tell nothing.
        fits = [t for t in fits if port and _same_port(t.port, port)] or fits
    if not fits and (serial or port) and not usb_is_listed():
        return Plugged(serial=serial, port=port, boards=(board,), note="as you say")
    if len(fits) > 1:
        raise _ambiguous(what, fits)
    if not fits:
        raise failed(absent, what, said=table(there))
    only = fits[0]
    if only.certain and only.boards != (board,):
        raise DeviceError(
            f"{what} is a {only.boards[0]} ({only.note}), not a {board}",
            "give the serial number of the right one, or build for this board",
            "wrong-board",
        )
    return replace(only, port=port or only.port)


def table(things: Sequence[Plugged]) -> str:
    """Return what is plugged in as lines of text, for an error."""
    rows = [
        (t.serial or "no serial", f"usb:{t.location}", t.usb_id, t.port or "no console",
         " or ".join(t.boards) or t.product or "unknown")
        for t in things
    ]  # fmt: skip
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(5)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return (
        "plugged in:\n" + "\n".join(f"  {line.rstrip()}" for line in lines)
        if rows
        else ("nothing is plugged in")
    )


def _ambiguous(what: str, fits: Sequence[Plugged]) -> EdgecError:
    serials = {thing.serial for thing in fits}
    error = failed("probe-ambiguous", what, said=table(fits))
    if len(serials) < len(fits):
        # Clones share a serial number, or have none.
        error.hint = "they share a serial number: give --serial usb:LOCATION, or unplug one"
    return error


def _same_port(one: str, other: str) -> bool:
    return bool(one) and port_key(one) == port_key(other)
