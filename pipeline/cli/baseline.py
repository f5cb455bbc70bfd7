"""`edgec baseline`."""

from __future__ import annotations

from pathlib import Path

import click

from edgec.pipeline.cli.display import json_option


@click.group()
def command() -> None:
    """Keep the results that later ones are compared with: save or list them."""


@command.command("save")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of baselines.",
)
def save_command(results: tuple[Path, ...], folder: Path) -> None:
    """Keep RESULTS as the baselines of their model, target and toolchain."""
    from edgec.pipeline.report.baseline import save_baseline
    from edgec.pipeline.report.document import read_document

    for result in [read_document(path) for path in results]:
        click.echo(save_baseline(folder, result))


@command.command("list")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@json_option
def list_command(folder: Path, as_json: bool) -> None:
    """List the baselines in FOLDER."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.baseline import baselines
    from edgec.pipeline.report.document import read_document

    found = [(path, read_document(path)) for path in baselines(folder)]
    if as_json:
        display.print_json([{"file": str(path), "result": result} for path, result in found])
        return
    rows = [
        (
            one["model"]["name"],
            one["target"]["name"],
            one["build"]["compiler"] or "",
            one["build"]["optimize"],
            f"{one['latency']['stats']['median']:,.0f} {one['latency']['unit']}"
            if one["latency"]
            else "",
            one.get("git", {}).get("commit", "")[:12],
        )
        for _, one in found
    ]
    display.print_table(("model", "target", "compiler", "optimize", "count", "commit"), rows)
