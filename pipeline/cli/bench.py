"""`edgec bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.build import complete_target, show_result
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
@click.option("--samples", type=click.IntRange(1), default=3, show_default=True)
@click.option("--target", shell_complete=complete_target, help="Another target than the bundle's.")
@backend_option
@threads_option
@ssh_option
@install_option
@reach_options
@click.option("--allow-throttled", is_flag=True, help="Measure a device that slows itself down.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the result as JSON, for 'edgec report' and 'edgec compare'.",
)
@click.option(
    "--mlperf",
    type=click.Choice(["performance", "accuracy"]),
    help="Hold a session of MLPerf Tiny with the device instead, as its official runner does.",
)
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="The data of that benchmark: y_labels.csv and the files it names.",
)
@click.option(
    "--sessions",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sessions"),
    show_default=True,
    metavar="DIR",
    help="Where the session's folder of files goes.",
)
@json_option
@quiet_option
def command(
    bundle: Path, target: str | None, board: str | None, port: str | None, baud: int | None,
    serial: str, runner: str, wait: int, out: Path | None, mlperf: str | None,
    dataset: Path | None, sessions: Path, as_json: bool, quiet: bool, **options: Any,
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
    from edgec.targets.runners.board import Wish

    kind, reach = way(board, port, baud, Wish(serial, port or "", runner, wait_s=wait))
    if mlperf is not None:
        if out is not None:
            raise click.UsageError("-o has no effect with --mlperf: --sessions says where files go")
        there = (kind or target, options["backend"], options["ssh"], reach)
        _session(bundle, mlperf, dataset, sessions, as_json, quiet, *there)
        return
    if dataset is not None:
        raise click.UsageError("--dataset belongs to --mlperf")
    with display.progress_report(quiet or as_json) as progress:
        result = driver.bench(
            bundle, target=kind or target, reach=reach, progress=progress, **options
        )
    measured = document(result, stamp())
    if out is not None:
        display.write_text(out, text_of(measured))
    if as_json:
        display.print_json(measured)
    else:
        show_result(result)


def _session(
    bundle: Path, mode: Any, dataset: Path | None, sessions: Path, as_json: bool, quiet: bool,
    target: str | None, backend: str | None, ssh: str | None, reach: Any,
) -> None:  # fmt: skip
    """Hold a session of MLPerf Tiny and print what it came to."""
    from edgec.pipeline import driver
    from edgec.pipeline.cli import display
    from edgec.pipeline.report.mlperf import facts

    if dataset is None:
        raise click.UsageError("--mlperf needs --dataset")
    with display.progress_report(quiet or as_json) as progress:
        result = driver.bench_mlperf(
            bundle,
            mode,
            dataset,
            target=target,
            backend=backend,
            ssh=ssh,
            reach=reach,
            sessions=sessions,
            progress=progress,
        )
    if as_json:
        display.print_json(result.as_dict())
    else:
        display.print_facts(facts(result))
