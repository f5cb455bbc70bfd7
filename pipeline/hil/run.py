"""Runs the jobs of a pack on the boards of a lab, all at once, and goes on when a board is sick."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import edgec
from edgec.pipeline.errors import DeviceError, EdgecError
from edgec.pipeline.hil.attempt import Attempt, Judgement, attempt
from edgec.pipeline.hil.leases import NoBoardError, Pool
from edgec.pipeline.hil.manifest import Job, Manifest
from edgec.pipeline.hil.packed import unpack
from edgec.pipeline.report.baseline import find_baseline
from edgec.pipeline.report.case import Case, Outcome, worst
from edgec.pipeline.report.stamp import now
from edgec.targets.lab import Lab, reached

SCHEMA = "edgec.hil-report/1"

BOARDS_A_JOB = 2
"""An infrastructure error moves a job to another board, once; two say that it is no accident."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class JobReport:
    """What became of a job: the last attempt, and every one before it."""

    job: Job
    attempts: tuple[Attempt, ...]
    outcome: Outcome
    message: str

    @property
    def last(self) -> Attempt | None:
        """The attempt that decided, None if no board was to be had."""
        return self.attempts[-1] if self.attempts else None

    @property
    def case(self) -> Case:
        """The job as a case of a report."""
        last = self.last
        trusted = self.outcome in (Outcome.PASSED, Outcome.REGRESSED)
        return Case(
            self.job.model,
            self.job.target,
            last.board if last else "",
            self.outcome,
            self.message,
            sum(one.seconds for one in self.attempts),
            last.result if last and trusted else None,
        )


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of every job of a run, in the order of the manifest."""

    lab: Lab
    jobs: tuple[JobReport, ...]
    sick: Mapping[str, str]
    quarantined: Mapping[str, str]
    stamp: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The worst of all, which decides the exit code."""
        return worst([job.outcome for job in self.jobs])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data, `edgec.hil-report/1`."""
        return {
            "schema": SCHEMA,
            **self.stamp,
            "tool": {"name": "edgec", "version": edgec.__version__},
            "lab": self.lab.name,
            "outcome": self.outcome.value,
            "exit_code": self.outcome.exit_code,
            "boards": [
                {"name": board.name, "type": board.type, **self._state(board.name)}
                for board in self.lab.boards
            ],
            "jobs": [_job(job) for job in self.jobs],
        }

    def _state(self, board: str) -> dict[str, str]:
        if board in self.quarantined:
            return {"state": "quarantined", "why": self.quarantined[board]}
        why = self.sick.get(board, "")
        return {"state": "sick" if board in self.sick else "ok", "why": why}


def run_jobs(
    manifest: Manifest,
    lab: Lab,
    judgement: Judgement,
    *,
    quarantined: Mapping[str, str] | None = None,
    wait_s: float = 600.0,
    note: Note = lambda text: None,
) -> RunReport:
    """Measure every job on a board of its type, as many at once as there are boards.

    A job whose board fails for a reason that is not the firmware's is tried on one other board; the
    one that failed is set aside. `note` is told what begins and what ends. Raises UsageError if a
    baseline is missing.
    """
    preflight(manifest, lab, judgement)
    pool = Pool(lab, quarantined or {})
    found: dict[str, JobReport] = {}
    failures: list[BaseException] = []
    # No more jobs wait for a board than there are boards that they could have.
    turns = {key: threading.Semaphore(max(len(key), 1)) for key in map(pool.names, manifest.jobs)}

    def work(job: Job) -> None:
        try:
            with turns[pool.names(job)]:
                if not failures:
                    found[job.name] = _run(job, pool, judgement, manifest.git, wait_s, note)
        except BaseException as error:
            failures.append(error)

    # Daemons: Ctrl-C ends us at once, and the system frees locks, leases and emulators.
    workers = [threading.Thread(target=work, args=(j,), daemon=True) for j in manifest.jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        while worker.is_alive():
            worker.join(timeout=0.2)
    if failures:
        raise failures[0]
    jobs = tuple(found[job.name] for job in manifest.jobs)
    return RunReport(lab, jobs, pool.sick, pool.quarantined, now(manifest.git))


def preflight(manifest: Manifest, lab: Lab, judgement: Judgement) -> None:
    """Raise UsageError for what is wrong with the lab's file, the pack or the baselines."""
    for board in lab.boards:
        # A device that is not there is one sick board, and no reason to stop.
        with suppress(DeviceError):
            reached(board)
    for job in manifest.jobs:
        for board in [board for board in lab.boards if board.type == job.target][:1]:
            unpack(job, board.target)
        if judgement.baseline is not None:
            find_baseline(judgement.baseline, job.facts["planned"])


def _run(
    job: Job,
    pool: Pool,
    judgement: Judgement,
    git: Mapping[str, Any] | None,
    wait_s: float,
    note: Note,
) -> JobReport:
    """Try a job until a board has told something of the firmware, or two boards have not."""
    attempts: list[Attempt] = []
    while True:
        try:
            with pool.lease(job, [one.board for one in attempts], wait_s) as board:
                note(f"{board.name}: {job.name}")
                attempts.append(attempt(job, board, judgement, git))
        except EdgecError as error:
            if attempts and isinstance(error, NoBoardError):
                break  # no other board could try it: the failure stands
            return JobReport(job, tuple(attempts), _unleased(job, pool, error), str(error))
        last = attempts[-1]
        note(f"{last.board}: {job.name}: {last.outcome.value}")
        if last.outcome is not Outcome.INFRASTRUCTURE:
            break
        pool.set_aside(board, last.message)
        if len(attempts) == BOARDS_A_JOB:
            break
    return JobReport(job, tuple(attempts), attempts[-1].outcome, attempts[-1].message)


def _unleased(job: Job, pool: Pool, error: EdgecError) -> Outcome:
    """Return the outcome of a job that got no board."""
    boards = pool.of(job)
    if boards and all(board.name in pool.quarantined for board in boards):
        return Outcome.QUARANTINED
    absent = isinstance(error, NoBoardError) and not boards
    return Outcome.ABSENT if absent else Outcome.INFRASTRUCTURE


def _job(report: JobReport) -> dict[str, Any]:
    case, last = report.case, report.last
    return {
        "job": report.job.name,
        "model": case.model,
        "target": case.target,
        "board": case.board or None,
        "outcome": case.outcome.value,
        "message": case.message,
        "seconds": case.seconds,
        "attempts": [_attempt(one) for one in report.attempts],
        "comparison": last.comparison.as_dict() if last and last.comparison else None,
        "result": case.result,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "board": one.board,
        "outcome": one.outcome.value,
        "message": one.message,
        "seconds": one.seconds,
    }
