"""Talks to a board that is flashed already, over its serial port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgec.targets.links.base import BAUD, Endpoint
from edgec.targets.locks import held
from edgec.targets.profile import Target
from edgec.targets.runners.qemu import ICOUNT_SHIFT


def at_port(target: Target, port: str, baud: int | None = None) -> Target:
    """Return a target that is reached over a serial port; its own baud rate if none is given."""
    own = target.board.baud if target.board is not None else BAUD
    options: dict[str, str | int] = {"port": port, "baud": baud or own}
    return replace(target, runner="port", link="serial", runner_options=options)


def command(image: str, target: Target) -> list[str]:
    """Return what tells how to get there: nothing starts an image that is there already."""
    del image
    return ["edgec", "monitor", "--port", str(target.runner_options["port"])]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Hold the port until leaving; the image is not used, what answers is compared with it."""
    del image
    port = str(target.runner_options["port"])
    # The targets that stand for a core are emulated, also where they answer on a pseudo-terminal.
    emulated = target.board is None
    with held(port):
        yield Endpoint(
            address=port,
            baud=int(target.runner_options["baud"]),
            instruction_ns=1 << ICOUNT_SHIFT if emulated else None,
            name=port,
        )
