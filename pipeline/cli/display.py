"""What the commands share of the terminal: tables on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table

from edgec.pipeline.worker import Progress, Report

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
backend_option = click.option(
    "--backend",
    metavar="NAME",
    help="How to build it: one of the target's backends; the bundle's otherwise. bench takes auto: "
    "all of them, and the fastest's result.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1),
    help="Threads of a backend that has some; the bundle's otherwise.",
)
install_option = click.option(
    "--install-runtime",
    is_flag=True,
    help="Put what interprets a model into edgec's folder on the device.",
)
ssh_option = click.option(
    "--ssh",
    metavar="DEVICE",
    help="Run it on a device of 'edgec device', or on USER@HOST[:PORT].",
)


def print_json(data: Any) -> None:
    """Print a JSON object on stdout."""
    click.echo(json.dumps(data, indent=2))


def write_text(path: Path, text: str) -> None:
    """Write a file that the user named; raise UsageError if that cannot be."""
    from edgec.pipeline.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[int] = (),
) -> None:
    """Print a table on stdout; the columns in `right` are numbers."""
    table = Table(header_style="bold")
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    _console().print(table)


def print_facts(rows: Iterable[tuple[str, str]]) -> None:
    """Print labelled lines on stdout."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(_plain(label), _plain(value))
    _console().print(table)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    Console(stderr=True, highlight=False).print(
        f"[bold yellow]warning:[/] {_plain(text)}", soft_wrap=True
    )


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _console() -> Console:
    width = None if sys.stdout.isatty() else 120
    return Console(width=width, highlight=False)


@contextmanager
def progress_report(quiet: bool) -> Iterator[Report | None]:
    """Yield what shows progress on stderr: a live bar on a terminal, lines elsewhere."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _live() as report:
            yield report
    else:
        yield _Lines().report


@contextmanager
def _live() -> Iterator[Report]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        current = ""

        def report(progress: Progress) -> None:
            nonlocal current
            text = f"{progress.stage}: {progress.message}".rstrip(": ")
            if progress.stage != current:
                current = progress.stage
                bar.reset(task, total=progress.total or None, description=text)
            bar.update(
                task, completed=progress.done, total=progress.total or None, description=text
            )

        yield report


class _Lines:
    """Progress as lines: one a stage, and a step at most every five seconds."""

    def __init__(self) -> None:
        self.stage = ""
        self.last = 0.0

    def report(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == self.stage and now - self.last < 5:
            return
        self.stage, self.last = progress.stage, now
        count = f" {progress.done}/{progress.total}" if progress.total else ""
        click.echo(f"{progress.stage}{count}: {progress.message}", err=True)
