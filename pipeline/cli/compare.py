"""`edgec compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.display import json_option


def share(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Return the share that a percentage such as "1%" names."""
    try:
        share = float(value.removesuffix("%")) / 100
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no percentage, as 1%") from error
    if not 0 <= share < 100:
        raise click.BadParameter(f"{value!r} is no percentage, as 1%")
    return share


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--fail-above",
    default="1%",
    show_default=True,
    callback=share,
    metavar="PERCENT",
    help="A rise of a count, a layer or a size by more is a regression; exit 6.",
)
@click.option(
    "--noisy-above",
    default="5%",
    show_default=True,
    callback=share,
    metavar="PERCENT",
    help="The same for times that spread; they must be significantly higher, too.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Compare each result with its own of 'edgec baseline save'.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["model", "target", "toolchain", "unit"]),
    help="Compare although these differ.",
)
@json_option
def command(
    results: tuple[Path, ...], fail_above: float, noisy_above: float, baseline: Path | None,
    allow: tuple[Any, ...], as_json: bool,
) -> None:  # fmt: skip
    """Compare two RESULTS, the earlier first: what rose, and which layers did it.

    With --baseline, each of RESULTS is compared with its baseline.
    """
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.baseline import find_baseline
    from edgec.pipeline.report.comparison import Limits, compare
    from edgec.pipeline.report.document import read_document

    if baseline is None and len(results) != 2:
        raise click.UsageError(f"two results wanted, got {len(results)}; or give --baseline")
    read = [read_document(path) for path in results]
    pairs = [(read[0], read[1])] if baseline is None else [
        (find_baseline(baseline, one), one) for one in read
    ]  # fmt: skip
    found = [compare(old, new, Limits(fail_above, noisy_above), allow) for old, new in pairs]
    if as_json:
        whole = [one.as_dict() for one in found]
        display.print_json(whole[0] if baseline is None else {"comparisons": whole})
    else:
        for one in found:
            _show(one)
    if any(one.regressions for one in found):
        raise click.exceptions.Exit(6)


def _show(found: Any) -> None:
    """Print a comparison: what changed, and what of that is a regression."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.comparison import describe, relative

    click.echo(f"{found.model} on {found.target}")
    moved = [layer for layer in found.layers if layer.rise]
    if moved:
        rows = [
            (
                str(layer.index_after if layer.index_after is not None else layer.index_before),
                layer.op,
                (layer.kernel_after or layer.kernel_before or "").removeprefix("edgec_"),
                "" if layer.before is None else f"{layer.before:,}",
                "" if layer.after is None else f"{layer.after:,}",
                f"{relative(layer.before or 0, layer.after or 0):+.2%}",
            )
            for layer in moved
        ]
        head = ("#", "op", "kernel", "before", "after", "change")
        display.print_table(head, rows, right=(0, 3, 4, 5))
    changes = [one for one in (found.total, *found.sizes, found.accuracy) if one is not None]
    for one in changes:
        click.echo(describe(one, found.unit if one is found.total else None))
    for note in found.notes:
        display.warn(note)
    for text in found.regressions:
        click.echo(f"regression: {text}", err=True)
    if not found.regressions:
        click.echo("no regression")
