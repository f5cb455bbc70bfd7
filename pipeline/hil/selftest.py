"""Tells whether the boards are well: known firmware must count what it counted when they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgec.pipeline.errors import UsageError
from edgec.pipeline.hil.attempt import Judgement
from edgec.pipeline.hil.manifest import MANIFEST, read_manifest
from edgec.pipeline.hil.report import JobReport, RunReport
from edgec.pipeline.hil.run import Note, known_firmware, run_jobs
from edgec.pipeline.report.baseline import baseline_path, save_baseline
from edgec.pipeline.report.case import Outcome
from edgec.pipeline.report.document import read_document
from edgec.targets.lab import Lab

GOLDEN_WITHIN = 0.01
"""How far a count may be from the golden one, up or down: a wrong clock or a sick board is off."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a board did; `well` if it answered rightly and counted what it should."""

    board: str
    well: bool
    why: str


def selftest(
    lab: Lab, *, save: bool = False, wait_s: float = 600.0, note: Note = lambda text: None
) -> tuple[list[Health], RunReport]:
    """Run the known firmware of the lab's `golden` folder on every board, quarantined ones too.

    `save` keeps the counts of boards without any as golden. Boards whose type has no known firmware
    are not well: nothing is known of them. Raises UsageError if the lab has no such folder.
    """
    if lab.golden is None:
        raise UsageError(
            f"{lab.path}: no golden firmware",
            "make it with 'edgec hil pack', and say golden = \"FOLDER\"",
        )
    packed = read_manifest(lab.golden / MANIFEST)
    known = known_firmware(lab)
    pairs = [(known[board.type], board.name) for board in lab.boards if board.type in known]
    pinned = [replace(job, board=name, name=f"{job.name} on {name}") for job, name in pairs]
    jobs = replace(packed, jobs=tuple(pinned))
    report = run_jobs(jobs, lab, Judgement(), wait_s=wait_s, note=note)
    found = {job.job.board: _health(job, lab.golden / "counts", save) for job in report.jobs}
    unknown = "no known firmware for its type"
    return [found.get(b.name, Health(b.name, False, unknown)) for b in lab.boards], report


def _health(job: JobReport, folder: Path, save: bool) -> Health:
    board, result = job.job.board, job.case.result
    if job.outcome is not Outcome.PASSED or result is None:
        return Health(board, False, f"{job.outcome.value}: {job.message}")
    if result["latency"] is None:
        return Health(board, True, "answers; an emulator counts nothing")
    path = baseline_path(folder, result)
    count, unit = result["latency"]["stats"]["median"], result["latency"]["unit"]
    if not path.is_file():
        if not save:
            return Health(board, False, f"{count:,.0f} {unit}, and no golden count: say --save")
        save_baseline(folder, result)
        return Health(board, True, f"{count:,.0f} {unit}, kept as golden")
    golden = read_document(path)["latency"]["stats"]["median"]
    off = (count - golden) / golden
    well = abs(off) <= GOLDEN_WITHIN
    return Health(board, well, f"{count:,.0f} {unit}, {off:+.2%} from golden")
