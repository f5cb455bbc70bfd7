"""`edgec analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.build import complete_target
from edgec.pipeline.cli.compress import data_options, take_data
from edgec.pipeline.cli.display import json_option, quiet_option


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@data_options
@click.option(
    "--target",
    default="cortex-m4",
    show_default=True,
    shell_complete=complete_target,
    help="What the int8 image is built for, to show what each layer takes.",
)
@click.option("--no-image", is_flag=True, help="Build nothing.")
@json_option
@quiet_option
def command(
    model: Path, target: str, no_image: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Measure what 8 bits and zeros cost in each layer of MODEL, the worst layer first.

    Every layer is quantised alone and pruned alone, and the metric taken on the validation split;
    SQNR is that of the layer's output when the whole model is int8. Where the int8 model loses
    more than a hundredth, recipe lines that were tried follow, with what they gave.
    """
    from edgec.pipeline.cli import display
    from edgec.pipeline.compress.model_analysis import AnalyzeOptions, analyze_model

    metric = options.pop("metric")
    source, _ = take_data(options)
    chosen = AnalyzeOptions(source, metric, None if no_image else target)
    with display.progress_report(quiet or as_json) as progress:
        found = analyze_model(model, chosen, progress or _silent)
    if as_json:
        display.print_json(found.as_dict())
        return
    _show(found)


def _show(found: Any) -> None:
    from edgec.pipeline.cli import display

    head: tuple[str, ...] = ("layer", "op", "MACs", "SQNR dB", "loss", "int8 alone", "half zero")
    rows = [
        (
            one.name.split(";")[0],
            one.op,
            f"{one.macs:,}",
            f"{one.sqnr_db:.1f}",
            f"{one.loss:.4f}",
            f"{one.quantized:.4f}",
            "" if one.pruned is None else f"{one.pruned:.4f}",
            *("" if value is None else f"{value:,}" for value in (one.weight_bytes, one.ram_bytes)),
            *([] if found.unit is None else ["" if one.count is None else f"{one.count:,}"]),
        )
        for one in found.layers
    ]
    if found.unit is not None:
        head = (*head, found.unit)
    display.print_table(head, rows, right=tuple(range(2, len(head))))
    display.print_facts(
        [
            (f"{found.metric}, float", f"{found.float_score:.4f} on {found.samples} samples"),
            (f"{found.metric}, int8", f"{found.int8_score:.4f}"),
        ]
    )
    for repair in found.repairs:
        score = "not tried" if repair.score is None else f"{found.metric} {repair.score:.4f}"
        click.echo(f"\n# {score}\n{repair.recipe}", nl=False)


def _silent(progress: Any) -> None:
    """Show nothing."""
