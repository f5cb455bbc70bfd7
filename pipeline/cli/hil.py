"""`edgec hil`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.compare import share
from edgec.pipeline.cli.display import json_option, quiet_option

lab_option = click.option(
    "--lab",
    "lab_file",
    type=click.Path(path_type=Path),
    envvar="EDGEC_LAB",
    default="lab.toml",
    show_default="$EDGEC_LAB, else lab.toml",
    help="The file of the boards that are plugged in.",
)
wait_option = click.option(
    "--wait",
    type=click.FloatRange(0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a board that others use.",
)


@click.group()
def command() -> None:
    """Hardware in the loop: pack firmware, measure it on the boards of a lab."""


@command.command("pack")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the pack.",
)
@click.option("--samples", type=click.IntRange(1), default=3, show_default=True)
@click.option("--target", help="Another target than the bundles'.")
@click.option("--board", default="", metavar="NAME", help="The one board that may run them.")
@json_option
@quiet_option
def pack_command(
    bundles: tuple[Path, ...], out: Path, samples: int, target: str | None, board: str,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Pack the firmware of BUNDLES with inputs and right answers, for a lab without compilers."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.hil.manifest import digest
    from edgec.pipeline.hil.pack import pack

    with display.progress_report(quiet or as_json) as progress:
        path = pack(
            bundles, out, samples=samples, board=board, target=target,
            progress=progress or (lambda _: None),
        )  # fmt: skip
    if as_json:
        display.print_json({"manifest": str(path), "sha256": digest(path)})
    else:
        click.echo(f"{path}\nsha256 {digest(path)}")


@command.command("run")
@click.argument("manifest", type=click.Path(path_type=Path))
@lab_option
@click.option("--sha256", default="", metavar="HEX", help="What the manifest itself must have.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Compare each result with its baseline; a regression is exit 6.",
)
@click.option("--fail-above", default="1%", show_default=True, callback=share, metavar="PERCENT")
@click.option("--noisy-above", default="5%", show_default=True, callback=share, metavar="PERCENT")
@click.option("--allow-throttled", is_flag=True, help="Measure devices that slow themselves down.")
@wait_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report as JSON, for 'edgec report'.",
)
@json_option
@quiet_option
def run_command(
    manifest: Path, lab_file: Path, sha256: str, baseline: Path | None, fail_above: float,
    noisy_above: float, allow_throttled: bool, wait: float, out: Path | None, as_json: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Measure the jobs of MANIFEST on the lab's boards, all at once.

    The exit code is that of the worst outcome; what speaks against the firmware (1 wrong output or
    no answer, 6 regression, 5 invalid measurement) comes before what speaks against the lab
    (8 infrastructure, 3 no board).
    """
    from edgec.pipeline.hil.attempt import Judgement
    from edgec.pipeline.hil.manifest import read_manifest
    from edgec.pipeline.hil.quarantine import quarantined
    from edgec.pipeline.hil.run import known_firmware, run_jobs
    from edgec.pipeline.report.comparison import Limits
    from edgec.targets.lab import load_lab

    lab = load_lab(lab_file)
    report = run_jobs(
        read_manifest(manifest, sha256),
        lab,
        Judgement(baseline, Limits(fail_above, noisy_above), allow_throttled),
        quarantined=quarantined(lab),
        known=known_firmware(lab),
        wait_s=wait,
        note=_note(quiet or as_json),
    )
    _finish(report, out, as_json)


@command.command("selftest")
@lab_option
@click.option("--save", is_flag=True, help="Keep the counts of boards that have none as golden.")
@click.option("--quarantine", is_flag=True, help="Keep boards that fail out of later runs.")
@wait_option
@json_option
@quiet_option
def selftest_command(
    lab_file: Path, save: bool, quarantine: bool, wait: float, as_json: bool, quiet: bool
) -> None:
    """Run known firmware on every board, and compare its counts with the golden ones."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.hil.quarantine import put_in_quarantine
    from edgec.pipeline.hil.selftest import selftest
    from edgec.targets.lab import load_lab

    lab = load_lab(lab_file)
    found, _ = selftest(lab, save=save, wait_s=wait, note=_note(quiet or as_json))
    sick = [one for one in found if not one.well]
    if quarantine:
        for one in sick:
            put_in_quarantine(lab, one.board, f"selftest: {one.why.partition(chr(10))[0]}")
    if as_json:
        display.print_json([{"board": o.board, "well": o.well, "why": o.why} for o in found])
    else:
        rows = [(o.board, "well" if o.well else "sick", o.why) for o in found]
        display.print_table(("board", "is", "why"), rows)
    if sick:
        raise click.exceptions.Exit(8)


@command.command("boards")
@lab_option
@json_option
def boards_command(lab_file: Path, as_json: bool) -> None:
    """List the boards of the lab, and which are in quarantine."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.hil.quarantine import quarantined
    from edgec.targets.lab import load_lab

    lab = load_lab(lab_file)
    away = quarantined(lab)
    rows = [
        {
            "name": board.name,
            "type": board.type,
            "reached by": board.ssh or board.probe or board.console or board.target.runner,
            "place": board.place,
            "quarantined": away.get(board.name, ""),
        }
        for board in lab.boards
    ]
    if as_json:
        display.print_json(rows)
    else:
        display.print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


@command.command("quarantine")
@click.argument("board")
@lab_option
@click.option("--why", default="by hand", show_default=True, help="What is wrong with it.")
@click.option("--lift", is_flag=True, help="Let it take part again.")
def quarantine_command(board: str, lab_file: Path, why: str, lift: bool) -> None:
    """Keep BOARD out of runs until somebody has looked at it."""
    from edgec.pipeline.hil.quarantine import lift_quarantine, put_in_quarantine
    from edgec.targets.lab import load_lab

    lab = load_lab(lab_file)
    if lift:
        lift_quarantine(lab, board)
    else:
        put_in_quarantine(lab, board, why)


@command.command("init")
@click.option("--ci", type=click.Choice(["github", "gitlab"]), default="github", show_default=True)
@click.option(
    "--model", "models", multiple=True, required=True, metavar="PATH", help="A model to measure."
)
@click.option(
    "--target", "targets", multiple=True, required=True, help="A target to build each model for."
)
@click.option("--baseline", default="", metavar="DIR", help="Compare with these baselines.")
@click.option("--label", default="edgec-lab", show_default=True, help="Label of the lab's runner.")
@click.option("--install", default="", metavar="WHAT", help="What pip installs instead of edgec.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it; - is stdout.  [default: where the CI looks for it]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init_command(
    ci: str, models: tuple[str, ...], targets: tuple[str, ...], baseline: str, label: str,
    install: str, out: Path | None, force: bool,
) -> None:  # fmt: skip
    """Write the CI file that builds firmware on hosted runners and measures it in the lab."""
    from edgec.pipeline.cli import display
    from edgec.pipeline.errors import UsageError
    from edgec.pipeline.hil.ci_files import PLACES, CiOptions, ci_text

    text = ci_text(ci, CiOptions(models, targets, baseline, label, install))
    path = out or PLACES[ci]
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    if path.exists() and not force:
        raise UsageError(f"{path}: is there already", "say --force, or another place with -o")
    display.write_text(path, text)
    click.echo(path)


def _note(quiet: bool) -> Any:
    """Return what tells of a job that begins or ends: a line on stderr."""
    return (lambda text: None) if quiet else (lambda text: click.echo(text, err=True))


def _finish(report: Any, out: Path | None, as_json: bool) -> None:
    """Write and print the report of a run; exit with the code of its worst outcome."""
    from edgec.pipeline.cli import display

    data = report.as_dict()
    if out is not None:
        display.write_text(out, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        display.print_json(data)
    else:
        rows = [_row(job.job.name, job.case) for job in report.jobs]
        display.print_table(("job", "board", "outcome", "count", "s"), rows, right=(3, 4))
        for job in report.jobs:
            if job.message:
                click.echo(f"{job.job.name}: {job.outcome.value}: {job.message}", err=True)
    if report.outcome.exit_code:
        raise click.exceptions.Exit(report.outcome.exit_code)


def _row(name: str, case: Any) -> tuple[str, ...]:
    counted = case.result["latency"] if case.result else None
    count = f"{counted['stats']['median']:,.0f} {counted['unit']}" if counted else ""
    return (name, case.board, case.outcome.value, count, f"{case.seconds:.1f}")
