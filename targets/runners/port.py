"""Talks to a board that is flashed already, over its serial port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgec.targets.links.base import BAUD, Endpoint
from edgec.targets.locks import held, port_key
from edgec.targets.profile import Target
from edgec.targets.runners.qemu import ICOUNT_SHIFT


def at_port(target: Target, port: str, baud: int | None = None) -> Target:
    """Return a target that is reached over a serial port; its own baud rate if none is given.

    What answers on a pseudo-terminal, of a target that has an emulator, is that: no board is.
    """
    own = target.board.baud if target.board is not None else BAUD
    options: dict[str, str | int] = {"port": port, "baud": baud or own}
    if target.runner == "qemu" and (target.board is None or _is_pty(port)):
        options["emulated"] = 1
        if "timer_hz" in target.runner_options:
            options["timer_hz"] = target.runner_options["timer_hz"]
    return replace(target, runner="port", link="serial", runner_options=options)


def command(image: str, target: Target) -> list[str]:
    """Return what tells how to get there: nothing starts an image that is there already."""
    del image
    return ["edgec", "monitor", "--port", str(target.runner_options["port"])]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Hold the port until leaving; the image is not used, what answers is compared with it."""
    del image
    options = target.runner_options
    port = str(options["port"])
    emulated = bool(options.get("emulated", 0))
    with held(port_key(port)):
        yield Endpoint(
            address=port,
            baud=int(options["baud"]),
            instruction_ns=1 << ICOUNT_SHIFT if emulated else None,
            timer_hz=int(options["timer_hz"]) if "timer_hz" in options else None,
            name=port,
        )


def _is_pty(port: str) -> bool:
    return str(Path(port).resolve()).startswith("/dev/pts/")
