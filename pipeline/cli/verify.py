"""`edgec verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from edgec.pipeline.cli.build import complete_target
from edgec.pipeline.cli.display import backend_option, json_option, quiet_option, ssh_option


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(1), default=20, show_default=True)
@click.option("--target", shell_complete=complete_target, help="Another target than the bundle's.")
@backend_option
@ssh_option
@json_option
@quiet_option
def command(
    bundle: Path, samples: int, target: str | None, backend: str | None, ssh: str | None,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Compare the firmware of BUNDLE with the reference interpreter, on host and device.

    A difference names the first layer and element that is wrong, with both values.
    """
    from edgec.pipeline import driver
    from edgec.pipeline.cli import display

    with display.progress_report(quiet or as_json) as progress:
        checked = driver.verify(
            bundle, samples=samples, target=target, backend=backend, ssh=ssh, progress=progress
        )
    if as_json:
        display.print_json({"verified": [asdict(v) for v in checked]})
        return
    for one in checked:
        click.echo(f"{one.device} = {one.oracle}, {one.within} on {one.samples} inputs")
