"""Runs the image on an emulated board: QEMU counts instructions and hands its UART to a socket."""

from __future__ import annotations

import re
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edgec.pipeline.errors import InfrastructureError, TargetError
from edgec.targets.links.base import Endpoint
from edgec.targets.profile import Target
from edgec.targets.runners.base import leash
from edgec.targets.toolchain import find_tool

QEMU = "qemu-system-arm"
STARTUP_S = 30.0

# One instruction takes 2^7 ns of virtual time: over two ticks of each board's timer, so a
# difference of two readings names one number of instructions, yet 2^32 ticks last a billion.
ICOUNT_SHIFT = 7

_WAITING = re.compile(rb"tcp:127\.0\.0\.1:(\d+)")


def command(image: str, target: Target) -> list[str]:
    """Return a command line whose UART is a pseudo-terminal."""
    board = _emulation(target)
    return [*board.words(QEMU), *board.other_uarts, "-serial", "pty", "-kernel", image]


@contextmanager
def start(image: Path, target: Target, extra: Sequence[str] = ()) -> Iterator[Endpoint]:
    """Start the emulator and wait for its socket; it is killed on leaving, whatever the reason.

    `extra` are more words for its command line, as for a monitor.
    """
    qemu = find_tool(QEMU)
    chardev = "socket,id=link,host=127.0.0.1,port=0,server=on,wait=on,nodelay=on"
    board = _emulation(target)
    uart = ["-chardev", chardev, *board.other_uarts, "-serial", "chardev:link"]
    # The emulator waits for us at the UART, and would make nothing that comes after it before.
    argv = [*board.words(qemu), *extra, *uart]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*leash(), *argv, "-kernel", str(image)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.PIPE,
            # Ctrl-C is ours to handle: an emulator that ends first looks like a fault.
            process_group=0,
        )
        try:
            port = _wait_for_port(process)
            yield Endpoint(
                address=f"socket://127.0.0.1:{port}",
                instruction_ns=1 << ICOUNT_SHIFT,
                timer_hz=board.timer_hz,
            )
        except InfrastructureError as error:
            _explain(process, error)
            raise
        finally:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


@dataclass(frozen=True, slots=True)
class _Emulation:
    """How a board is emulated: by which machine, and at which of its UARTs the firmware is.

    `timer_hz` is the machine's, where it takes no notice of how the firmware sets its clock.
    """

    machine: str
    serial: int
    timer_hz: int | None

    @property
    def other_uarts(self) -> list[str]:
        """The options that connect the UARTs before the firmware's to nothing."""
        return ["-serial", "null"] * self.serial

    def words(self, qemu: str) -> list[str]:
        """The command line without UART and image."""
        icount = f"shift={ICOUNT_SHIFT},align=off,sleep=off"
        return [
            *(qemu, "-M", self.machine, "-display", "none", "-monitor", "none", "-nodefaults"),
            *("-icount", icount, "-rtc", "clock=vm"),
        ]


def _emulation(target: Target) -> _Emulation:
    options = dict(target.runner_options)
    machine = options.pop("machine", None)
    serial = options.pop("serial", 0)
    timer_hz = options.pop("timer_hz", None)
    if not isinstance(machine, str) or not isinstance(serial, int) or isinstance(timer_hz, str):
        options["machine"] = ""
    if options:
        raise TargetError(
            f'{target.name}: runner qemu takes machine = "…" and the whole numbers serial and '
            f"timer_hz; got {sorted(target.runner_options)}"
        )
    assert isinstance(machine, str) and isinstance(serial, int) and not isinstance(timer_hz, str)
    return _Emulation(machine, serial, timer_hz)


def _wait_for_port(process: subprocess.Popen[bytes]) -> int:
    assert process.stderr is not None
    said = b""
    deadline = time.monotonic() + STARTUP_S
    while time.monotonic() < deadline:
        said += _read_some(process.stderr)
        found = _WAITING.search(said)
        if found and said.endswith(b"\n"):
            return int(found.group(1))
        if process.poll() is not None:
            said += process.stderr.read()
            break
    text = said.decode(errors="replace").strip()
    raise InfrastructureError(f"{QEMU} did not start: {text or 'no answer'}")


def _explain(process: subprocess.Popen[bytes], error: InfrastructureError) -> None:
    """Replace a broken link by what the emulator said when it gave up."""
    try:
        process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return
    assert process.stderr is not None
    lines = process.stderr.read().decode(errors="replace").splitlines()
    words = next((line for line in lines if "ockup" in line), lines[-1] if lines else "")
    raise InfrastructureError(
        f"the emulated board stopped: {words or error.message}",
        "a lockup is mostly a stack that is too small",
    ) from error


def _read_some(stream: IO[bytes]) -> bytes:
    ready, _, _ = select.select([stream], [], [], 0.1)
    return stream.read1(4096) if ready else b""  # type: ignore[attr-defined]
