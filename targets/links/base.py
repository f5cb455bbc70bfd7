"""What a link is: bytes to and from a device. Adding a link is adding one module here."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from subprocess import Popen
from typing import Protocol

from edgec.pipeline.errors import TargetError
from edgec.targets.host_state import HostState

BAUD = 115200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a runner left the device: an address to open, or the pipes of a process.

    `instruction_ns` is the virtual time one instruction takes on an emulator, or None, and
    `timer_hz` what the device's timer really ticks at there, if it cannot know. `emulator`
    names what stands in for the device where it answers as the device would, but no time taken
    there means anything. `observe` reads the state of a computer: its clock, heat and load. `reset`
    restarts a board by its probe; `name` is what errors call it.
    """

    address: str = ""
    process: Popen[bytes] | None = None
    instruction_ns: int | None = None
    timer_hz: int | None = None
    emulator: str = ""
    observe: Callable[[], HostState] | None = None
    baud: int = BAUD
    reset: Callable[[], None] | None = None
    name: str = ""


class Link(Protocol):
    """An open connection to a device."""

    def read(self, timeout_s: float) -> bytes:
        """Return whatever has arrived, at least a byte; empty if nothing came in time."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""

    def close(self) -> None:
        """Release the connection; a second call does nothing."""


def open_link(kind: str, endpoint: Endpoint) -> Link:
    """Open the link that the module `links/<kind>.py` implements.

    Raises InfrastructureError if the device cannot be reached.
    """
    name = f"edgec.targets.links.{kind}"
    if not kind.isidentifier() or kind == "base" or importlib.util.find_spec(name) is None:
        raise TargetError(f"unknown link {kind!r}: there is no such module in targets/links")
    link: Link = importlib.import_module(name).connect(endpoint)
    return link
