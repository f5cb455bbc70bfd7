"""`edgec monitor`."""

from __future__ import annotations

import contextlib
import sys
import time

import click

from edgec.pipeline.cli.reach import baud_option, board_option, port_option, serial_option

IDLE_S = 0.3
"""After that long without a byte, what has come of a line is shown."""


@click.command()
@port_option
@baud_option
@board_option
@serial_option
@click.option("--raw", is_flag=True, help="Write the bytes as they come.")
@click.option("--seconds", type=float, metavar="N", help="Stop after that long; else at Ctrl-C.")
def command(
    port: str | None, baud: int | None, board: str | None, serial: str, raw: bool,
    seconds: float | None,
) -> None:  # fmt: skip
    """Show what a board says: its log, its frames by name, and plain text.

    Nothing is sent, and the port is ours alone meanwhile.
    """
    from edgec.targets.links.base import BAUD, Endpoint, open_link
    from edgec.targets.locks import held, port_key
    from edgec.targets.monitor import Monitor

    address, speed = _console(port, board, serial)
    shown = Monitor()
    deadline = time.monotonic() + seconds if seconds is not None else None
    with held(port_key(address)):
        link = open_link("serial", Endpoint(address=address, baud=baud or speed or BAUD))
        with contextlib.closing(link), contextlib.suppress(KeyboardInterrupt):
            while deadline is None or time.monotonic() < deadline:
                data = link.read(IDLE_S)
                if raw:
                    sys.stdout.buffer.write(data)
                    sys.stdout.buffer.flush()
                    continue
                for line in shown.feed(data) if data else shown.flush():
                    click.echo(line)


def _console(port: str | None, board: str | None, serial: str) -> tuple[str, int | None]:
    """Return the port to listen to, and the board's speed if it is known."""
    from edgec.pipeline.errors import UsageError
    from edgec.targets.detection import choose, scan
    from edgec.targets.flash_failures import failed
    from edgec.targets.lab import wished
    from edgec.targets.profile import load_target
    from edgec.targets.runners.board import Wish

    if board is None:
        if port is None:
            raise UsageError("which port?", "give --port, or --board and perhaps --serial")
        return port, None
    kind, wish = wished(board, Wish(serial=serial, port=port or ""))
    facts = load_target(kind).board
    if facts is None:
        raise UsageError(f"{kind} is not a board", "'edgec boards list' shows those")
    if wish.port:
        return wish.port, facts.baud
    plugged = choose(scan(), kind, serial=wish.serial)
    if not plugged.port:
        raise failed("port-not-found", f"{board}: console ({facts.console})")
    return plugged.port, facts.baud
