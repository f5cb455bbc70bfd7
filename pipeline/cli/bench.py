"""`edgec bench`."""

from __future__ import annotations

from pathlib import Path

import click

from edgec.pipeline.cli.build import complete_target, show_result
from edgec.pipeline.cli.display import json_option, quiet_option, ssh_option


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(1), default=3, show_default=True)
@click.option("--target", shell_complete=complete_target, help="Another target than the bundle's.")
@ssh_option
@click.option("--allow-throttled", is_flag=True, help="Measure a device that slows itself down.")
@json_option
@quiet_option
def command(
    bundle: Path, samples: int, target: str | None, ssh: str | None, allow_throttled: bool,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Verify the firmware of BUNDLE, then measure it: counts per layer and per MAC, stack, flash.

    An emulated board counts instructions, never time; an emulated computer counts nothing. No count
    is shown for a wrong answer.
    """
    from edgec.pipeline import driver
    from edgec.pipeline.cli import display

    with display.progress_report(quiet or as_json) as progress:
        result = driver.bench(
            bundle,
            samples=samples,
            target=target,
            ssh=ssh,
            allow_throttled=allow_throttled,
            progress=progress,
        )
    if as_json:
        display.print_json(result.as_dict())
    else:
        show_result(result)
