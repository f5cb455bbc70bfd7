"""`edgec compress`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.build import complete_target
from edgec.pipeline.cli.display import json_option, quiet_option


def complete_recipe(ctx: Any, param: Any, incomplete: str) -> list[str]:
    """Return the names of recipes that start with what was typed."""
    from edgec.pipeline.compress.recipe import recipe_names

    return [name for name in recipe_names() if name.startswith(incomplete)]


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which data to train and test on."""
    for option in reversed(_DATA_OPTIONS):
        command = option(command)
    return command


_DATA_OPTIONS = (
    click.option(
        "--data",
        required=True,
        metavar="FILE|DIR|python:MODULE:FUNCTION",
        help="Labelled samples: .npz, .csv, a folder by class; python: RUNS your function.",
    ),
    click.option(
        "--metric",
        metavar="NAME",
        help="accuracy, f1, auc, mse, mae, or MODULE:FUNCTION, which is then RUN.",
    ),
    click.option(
        "--split",
        type=click.Choice(["random", "group", "time"]),
        default="random",
        show_default=True,
        help="How samples are kept apart where the data has no splits of its own.",
    ),
    click.option("--validation", type=float, default=0.2, show_default=True, metavar="SHARE"),
    click.option("--test", type=float, default=0.2, show_default=True, metavar="SHARE"),
    click.option(
        "--targets",
        type=click.Choice(["auto", "classes", "values", "inputs"]),
        default="auto",
        show_default=True,
        help="What is to be answered; 'inputs' is for autoencoders.",
    ),
    click.option("--label", metavar="COLUMN", help="CSV column of the targets; else the last."),
    click.option("--group", metavar="COLUMN", help="Column or array that --split group goes by."),
    click.option("--time", metavar="COLUMN", help="Column or array that --split time goes by."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--recipe",
    required=True,
    metavar="NAME|FILE",
    shell_complete=complete_recipe,
    help="A name of 'edgec recipes', or a .toml file.",
)
@data_options
@click.option(
    "--target",
    default="cortex-m4",
    show_default=True,
    shell_complete=complete_target,
    help="What to build and measure images for.",
)
@click.option(
    "--optimize",
    type=click.Choice(["size", "balanced", "speed"]),
    default="balanced",
    show_default=True,
)
@click.option(
    "--images",
    type=click.Choice(["none", "ends", "each"]),
    default="ends",
    show_default=True,
    help="Of what to build and measure firmware: nothing, before and after, every step.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the compression; <name>-<recipe> otherwise. Started again, it goes on there.",
)
@json_option
@quiet_option
def command(
    model: Path, recipe: str, as_json: bool, quiet: bool, **options: Any
) -> None:  # fmt: skip
    """Make MODEL, a float .keras, .h5, .onnx file or SavedModel, smaller and faster by a recipe.

    Every step's size and its score on held-out samples are shown, and the firmware before and
    after is built, verified byte for byte and measured. The result is model.tflite in the folder.
    """
    from edgec.pipeline.cli import display
    from edgec.pipeline.compress.compression import CompressOptions, compress
    from edgec.pipeline.compress.recipe import load_recipe

    source, seed = take_data(options)
    chosen = CompressOptions(load_recipe(recipe), source, seed=seed, **options)
    with display.progress_report(quiet or as_json) as progress:
        result, folder = compress(model, chosen, progress or _silent)
    if as_json:
        display.print_json({"folder": str(folder), "result": result.as_dict()})
        return
    show_compression(result)
    click.echo(f"\nmodel: {folder / 'model.tflite'}")


def take_data(options: dict[str, Any]) -> tuple[Any, int]:
    """Take the data options but the metric out of a command's options; return source and seed."""
    from edgec.pipeline.compress.data_source import data_source_from

    names = ("split", "validation", "test", "seed", "targets", "label", "group", "time")
    chosen = {name: options.pop(name) for name in names}
    return data_source_from(options.pop("data"), **chosen), chosen["seed"]


def show_compression(result: Any) -> None:
    """Print a compression's steps, findings and warnings."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.compression import facts, step_rows

    head, rows = step_rows(result)
    display.print_table(head, rows, right=tuple(range(1, len(head))))
    display.print_facts(facts(result))
    for warning in result.warnings:
        display.warn(warning)


def _silent(progress: Any) -> None:
    """Show nothing."""
