"""`edgec report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def complete_format(ctx: Any, param: Any, incomplete: str) -> list[str]:
    """Return the names of formats that start with what was typed."""
    from edgec.pipeline.report.exporters.base import format_names

    return [name for name in format_names() if name.startswith(incomplete)]


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "name",
    required=True,
    metavar="bmf|csv|gha|junit|md",
    shell_complete=complete_format,
    help="Bencher, CSV, github-action-benchmark, JUnit XML or a Markdown summary.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it; stdout otherwise.",
)
def command(results: tuple[Path, ...], name: str, out: Path | None) -> None:
    """Write RESULTS in the format of another tool.

    A result is a file of 'edgec bench -o' or 'edgec hil run -o', or a bundle.
    """
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.case import read_cases
    from edgec.pipeline.report.exporters.base import find_exporter

    exporter = find_exporter(name)
    text = exporter.export([case for path in results for case in read_cases(path)])
    if out is None:
        click.echo(text, nl=False)
    else:
        display.write_text(out, text)
