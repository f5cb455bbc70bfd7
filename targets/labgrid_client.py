"""Leases a place of labgrid, through a helper that runs in labgrid's own environment.

labgrid needs a pyserial of its own, which would take the place of ours, so it lives elsewhere. The
helper gets one line of JSON and answers with one; when its input ends, however we end, it gives the
place back.
"""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edgec.pipeline.errors import InfrastructureError, ToolMissingError
from edgec.targets.flash_failures import failed
from edgec.targets.lab import Labgrid

HELPER = Path(__file__).parent / "labgrid_helper.py"
START_S = 30.0
"""How long the helper may take beyond the time that it is told to wait."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is ours; `console` is the address of its serial port, empty if it has none."""

    name: str
    console: str


@contextmanager
def leased_place(labgrid: Labgrid, names: Sequence[str], wait_s: float) -> Iterator[Place]:
    """Hold one of some places until leaving, whichever is free first.

    Raises the error `probe-busy` if others have them all for `wait_s`, InfrastructureError for
    anything else that the coordinator or the helper says.
    """
    if not labgrid.python.is_file():
        raise ToolMissingError(
            f"{labgrid.python} is not there, which [labgrid] of the lab's file names",
            "python3 -m venv FOLDER && FOLDER/bin/pip install labgrid",
        )
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [str(labgrid.python), "-I", str(HELPER), labgrid.coordinator],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # Ctrl-C is ours to handle: the helper gives the place back when its input ends.
            process_group=0,
            text=True,
            encoding="utf-8",
        )
        try:
            answer = _ask(process, {"places": list(names), "wait_s": wait_s}, log)
            yield Place(str(answer["place"]), str(answer["console"]))
        finally:
            _end(process)


def _ask(process: subprocess.Popen[str], request: dict[str, Any], log: IO[str]) -> dict[str, Any]:
    """Send the request and return the answer; raise what it says was wrong."""
    assert process.stdin is not None and process.stdout is not None
    where = f"labgrid place {' or '.join(request['places'])}"
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    ready, _, _ = select.select([process.stdout], [], [], request["wait_s"] + START_S)
    line = process.stdout.readline().strip() if ready else ""
    try:
        answer = dict(json.loads(line))
    except (ValueError, TypeError) as error:
        log.seek(0)
        said = (log.read().strip().splitlines() or ["nothing"])[-1]
        raise InfrastructureError(f"{where}: the helper gave no answer; it said: {said}") from error
    if answer.get("error") == "busy":
        raise failed("probe-busy", where, said=answer["said"])
    if "error" in answer:
        raise InfrastructureError(f"{where}: {answer['said']}")
    return answer


def _end(process: subprocess.Popen[str]) -> None:
    """End the helper's input, and wait until it has given back what it held."""
    assert process.stdin is not None and process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(timeout=START_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
