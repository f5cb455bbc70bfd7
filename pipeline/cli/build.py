"""`edgec build`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.display import json_option, quiet_option
from edgec.targets.profile import target_names
from edgec.targets.profile_table import parse_size


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Return bytes, from a number as in 64K or 1M."""
    return None if value is None else parse_size(value, param.opts[0])


def complete_target(ctx: Any, param: Any, incomplete: str) -> list[str]:
    """Return the names of targets that start with what was typed."""
    return [name for name in target_names() if name.startswith(incomplete)]


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--target",
    default="cortex-m4",
    show_default=True,
    shell_complete=complete_target,
    help="What to build for: a name of 'edgec targets', or a .toml file.",
)
@click.option(
    "--backend",
    metavar="NAME",
    default=None,
    show_default="auto for computers, aot for boards",
    help="How to build it: one of the target's backends; auto tries them and keeps the fastest.",
)
@click.option(
    "--toolchain",
    type=click.Choice(["auto", "gcc", "zig"]),
    default="auto",
    show_default=True,
    help="What compiles for a computer; auto is GCC, or the wheel ziglang where GCC is missing.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of a backend that has some.",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Samples that set the integer ranges: .npz, .npy, .csv, a folder of images or .npy.",
)
@click.option(
    "--quantize",
    type=click.Choice(["int8", "int16x8", "float32", "float16", "dynamic-range"]),
    default="int8",
    show_default=True,
    help="Number format of the result; int16x8 is int16 with weights of int8, dynamic-range "
    "float32 with weights of int8, float16 for backend tflite only.",
)
@click.option(
    "--optimize",
    type=click.Choice(["size", "balanced", "speed"]),
    default="balanced",
    show_default=True,
    help="What the kernels are compiled for.",
)
@click.option(
    "--rounding",
    type=click.Choice(["tflite", "tflm"]),
    default="tflite",
    show_default=True,
    help="Whose integer rounding the code reproduces.",
)
@click.option("--ram", callback=_size, metavar="SIZE", help="RAM the model may take, as in 64K.")
@click.option(
    "--flash", callback=_size, metavar="SIZE", help="Flash the model may take, as in 256K."
)
@click.option("--name", metavar="N", help="Name in the generated C; the file's name otherwise.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the bundle; <name>-<target> otherwise.",
)
@click.option(
    "--test",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Labelled samples (.npz with x and y): measure accuracy in float, int8, on the device.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    help="Random inputs to verify; 5 by default, fewer where they are large.",
)
@click.option(
    "--input-rows",
    is_flag=True,
    help="Have the code ask for the input row by row, to save its RAM.",
)
@click.option(
    "--recipe",
    metavar="NAME|FILE",
    help="Compress the float model first; a name of 'edgec recipes', or a .toml file.",
)
@click.option(
    "--data",
    metavar="FILE|DIR|python:MODULE:FUNCTION",
    help="Labelled samples that the recipe trains and tests on, as in 'edgec compress'.",
)
@click.option(
    "--tune-trials",
    type=click.IntRange(1),
    metavar="N",
    help="Have backend tvm measure N schedules of the layers; what it learns is kept.",
)
@click.option(
    "--tune-minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="M",
    help="End the tuning of backend tvm after M minutes.",
)
@click.option("--no-shrink", is_flag=True, help="Keep channels that are provably constant.")
@click.option("--no-verify", is_flag=True, help="Compile and link, but run nothing.")
@click.option("--emit-only", is_flag=True, help="Write the C sources, but compile nothing.")
@json_option
@quiet_option
def command(
    model: Path, ram: int | None, flash: int | None, rounding: str, no_verify: bool,
    no_shrink: bool, recipe: str | None, data: str | None, as_json: bool, quiet: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Build verified firmware from MODEL, a .keras, .h5, .onnx or .tflite file or a SavedModel.

    The model is quantised to int8, or as --quantize says, compiled to C, built for the target, run
    there, and compared byte for byte with the reference interpreter. The bundle holds the C
    sources, a firmware project, the model, and a report.
    """
    from edgec.pipeline.backends.base import AUTO
    from edgec.pipeline.cli import display
    from edgec.pipeline.driver import BuildOptions, build_model
    from edgec.pipeline.graph import Rounding
    from edgec.targets.profile import load_target

    if options["backend"] is None and not load_target(options["target"]).memories:
        options["backend"] = AUTO
    chosen = BuildOptions(
        ram_bytes=ram,
        flash_bytes=flash,
        rounding=Rounding(rounding),
        verify=not no_verify,
        shrink=not no_shrink,
        **options,
    )
    with display.progress_report(quiet or as_json) as progress:
        report = progress or _silent
        if recipe is None and data is None:
            done = build_model(model, chosen, report)
        else:
            done = _by_recipe(model, recipe, data, chosen, report)
    if as_json:
        from edgec.pipeline.report.document import document

        root = str(done.bundle.root)
        display.print_json({"bundle": root, "result": document(done.result)})
        return
    show_result(done.result)
    click.echo(f"\nbundle: {done.bundle.root}")


def _by_recipe(model: Path, recipe: str | None, data: str | None, options: Any, report: Any) -> Any:
    """Compress the model in a folder of its own, then build what came out."""
    from edgec.pipeline.compress.compression import CompressOptions, compress_and_build
    from edgec.pipeline.compress.data_source import data_source_from
    from edgec.pipeline.compress.recipe import load_recipe

    if recipe is None or data is None:
        raise click.UsageError("--recipe and --data belong together")
    if options.calibration is not None:
        raise click.UsageError("--calibration has no effect with --recipe: its data calibrates")
    how = CompressOptions(load_recipe(recipe), data_source_from(data), images="none")
    return compress_and_build(model, how, options, report)


def show_result(result: Any) -> None:
    """Print a result: layers, findings, and warnings last, where they are seen."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.tables import facts, layer_rows

    head, rows = layer_rows(result, brief=True)
    display.print_table(head, rows, right=(0, 4, 5, 6, 7))
    display.print_facts(facts(result))
    for warning in result.warnings:
        display.warn(warning)


def _silent(progress: Any) -> None:
    """Show nothing."""
