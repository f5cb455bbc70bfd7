"""`edgec flash`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.display import json_option, quiet_option
from edgec.pipeline.cli.reach import (
    board_option,
    port_option,
    runner_option,
    serial_option,
    wait_option,
)


@click.command()
@click.argument("source", metavar="BUNDLE", type=click.Path(path_type=Path, exists=True))
@board_option
@serial_option
@runner_option
@port_option
@click.option("--erase", is_flag=True, help="Erase the whole chip before.")
@click.option("--unlock", is_flag=True, help="Open a locked chip, which erases all that is on it.")
@click.option("--yes", is_flag=True, help="Yes, erase what is on the locked chip.")
@click.option("--profile", is_flag=True, help="Flash the build that times each layer.")
@wait_option
@json_option
@quiet_option
def command(
    source: Path, board: str | None, serial: str, runner: str, port: str | None, erase: bool,
    unlock: bool, yes: bool, profile: bool, wait: int, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Put the firmware of BUNDLE, or of a firmware folder, on the board that is plugged in.

    Afterwards the board must answer with the hash of this build. A locked chip is left as it is
    without --unlock --yes.
    """
    from edgec.pipeline.cli import display
    from edgec.pipeline.errors import UsageError
    from edgec.pipeline.flash import flash
    from edgec.targets.runners.board import Wish

    if unlock != yes:
        raise UsageError(
            "--unlock erases everything on the chip, and --yes says that you want that",
            "give both, or neither",
        )
    wish = Wish(serial, port or "", runner, erase, unlock, wait)
    note = None if quiet or as_json else display.warn
    done = flash(source, wish, board=board, profile=profile, note=note)
    if as_json:
        display.print_json(_facts(done))
        return
    where = f"{done.board} ({done.serial or done.port})"
    click.echo(f"{where}: flashed by {done.flashed.tool} in {done.flashed.seconds:.1f} s")
    if done.hello is None:
        display.warn("no console is known, so nobody asked whether it runs: give --port")
        return
    hello = done.hello
    click.echo(
        f"{done.port}: {hello.model} ({hello.sha256[:12]}) answers; {hello.timer} counts "
        f"{hello.unit} at {hello.timer_hz / 1e6:g} MHz"
    )


def _facts(done: Any) -> dict[str, Any]:
    facts = asdict(done)
    return {**facts, "image": str(done.image)}
