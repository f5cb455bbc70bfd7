"""`edgec verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.build import complete_target
from edgec.pipeline.cli.display import (
    backend_option,
    install_option,
    json_option,
    quiet_option,
    ssh_option,
    threads_option,
)
from edgec.pipeline.cli.reach import reach_options, way


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(1), default=20, show_default=True)
@click.option("--target", shell_complete=complete_target, help="Another target than the bundle's.")
@backend_option
@threads_option
@ssh_option
@install_option
@reach_options
@json_option
@quiet_option
def command(
    bundle: Path, target: str | None, board: str | None, port: str | None, baud: int | None,
    serial: str, runner: str, wait: int, as_json: bool, quiet: bool, **options: Any,
) -> None:  # fmt: skip
    """Compare the firmware of BUNDLE with the reference interpreter, on host and device.

    A difference names the first layer and element that is wrong, with both values.
    """
    from edgec.pipeline import driver
    from edgec.pipeline.cli import display
    from edgec.targets.runners.board import Wish

    kind, reach = way(board, port, baud, Wish(serial, port or "", runner, wait_s=wait))
    with display.progress_report(quiet or as_json) as progress:
        checked = driver.verify(
            bundle, target=kind or target, reach=reach, progress=progress, **options
        )
    if as_json:
        display.print_json({"verified": [asdict(v) for v in checked]})
        return
    for one in checked:
        click.echo(f"{one.device} = {one.oracle}, {one.within} on {one.samples} inputs")
