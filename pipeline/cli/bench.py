"""`edgec bench`."""

from __future__ import annotations

from pathlib import Path

import click

from edgec.pipeline.cli.build import complete_target, show_result
from edgec.pipeline.cli.display import backend_option, json_option, quiet_option, ssh_option


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(1), default=3, show_default=True)
@click.option("--target", shell_complete=complete_target, help="Another target than the bundle's.")
@backend_option
@ssh_option
@click.option("--allow-throttled", is_flag=True, help="Measure a device that slows itself down.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the result as JSON, for 'edgec report' and 'edgec compare'.",
)
@json_option
@quiet_option
def command(
    bundle: Path, samples: int, target: str | None, backend: str | None, ssh: str | None,
    allow_throttled: bool, out: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Verify the firmware of BUNDLE, then measure it: counts per layer and per MAC, stack, flash.

    An emulated board counts instructions, never time; an emulated computer counts nothing. No count
    is shown for a wrong answer.
    """
    from edgec.pipeline import driver
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.document import as_json as text_of
    from edgec.pipeline.report.document import document
    from edgec.pipeline.report.stamp import stamp

    with display.progress_report(quiet or as_json) as progress:
        result = driver.bench(
            bundle,
            samples=samples,
            target=target,
            backend=backend,
            ssh=ssh,
            allow_throttled=allow_throttled,
            progress=progress,
        )
    measured = document(result, stamp())
    if out is not None:
        display.write_text(out, text_of(measured))
    if as_json:
        display.print_json(measured)
    else:
        show_result(result)
