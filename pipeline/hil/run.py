"""Runs the jobs of a pack on the boards of a lab, all at once, and goes on when a board is sick."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from edgec.pipeline.errors import DeviceError, EdgecError
from edgec.pipeline.hil.attempt import Attempt, Judgement, attempt
from edgec.pipeline.hil.leases import NoBoardError, Pool
from edgec.pipeline.hil.manifest import MANIFEST, Job, Manifest, read_manifest
from edgec.pipeline.hil.packed import unpack
from edgec.pipeline.hil.report import JobReport, RunReport
from edgec.pipeline.report.baseline import find_baseline
from edgec.pipeline.report.case import Outcome
from edgec.pipeline.report.stamp import now
from edgec.targets.lab import Lab, LabBoard, reached

BOARDS_A_JOB = 2
"""An infrastructure error moves a job to another board, once; two say that it is no accident."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Run:
    """What all jobs of a run share; `known` is firmware that works, by the type of its boards."""

    pool: Pool
    judgement: Judgement
    known: Mapping[str, Job]
    git: Mapping[str, Any] | None
    wait_s: float
    note: Note

    def job(self, job: Job) -> JobReport:
        """Try a job until a board has told something of the firmware, or two boards have not."""
        attempts: list[Attempt] = []
        while True:
            try:
                with self.pool.lease(job, [one.board for one in attempts], self.wait_s) as board:
                    self.note(f"{board.name}: {job.name}")
                    attempts.append(self._attempt(job, board))
            except EdgecError as error:
                if attempts and isinstance(error, NoBoardError):
                    break  # no other board could try it: the failure stands
                return JobReport(job, tuple(attempts), self._unleased(job, error), str(error))
            last = attempts[-1]
            self.note(f"{last.board}: {job.name}: {last.outcome.value}")
            if last.outcome is not Outcome.INFRASTRUCTURE:
                break
            self.pool.set_aside(board, last.message)
            if len(attempts) == BOARDS_A_JOB:
                break
        return JobReport(job, tuple(attempts), attempts[-1].outcome, attempts[-1].message)

    def _attempt(self, job: Job, board: LabBoard) -> Attempt:
        """Try a job; where nothing was learned, ask known firmware whether the board is well."""
        found = attempt(job, board, self.judgement, self.git)
        known = self.known.get(board.type)
        if found.outcome is not Outcome.INFRASTRUCTURE or known is None:
            return found
        self.note(f"{board.name}: {job.name}: {found.outcome.value}; trying known firmware")
        if attempt(known, board, Judgement(), None).outcome is not Outcome.PASSED:
            return found
        message = f"{found.message}\nthe board is well: known firmware works there"
        return replace(found, outcome=Outcome.NO_ANSWER, message=message)

    def _unleased(self, job: Job, error: EdgecError) -> Outcome:
        """Return the outcome of a job that got no board."""
        boards = self.pool.of(job)
        if boards and all(board.name in self.pool.quarantined for board in boards):
            return Outcome.QUARANTINED
        absent = isinstance(error, NoBoardError) and not boards
        return Outcome.ABSENT if absent else Outcome.INFRASTRUCTURE


def run_jobs(
    manifest: Manifest,
    lab: Lab,
    judgement: Judgement,
    *,
    quarantined: Mapping[str, str] | None = None,
    known: Mapping[str, Job] | None = None,
    wait_s: float = 600.0,
    note: Note = lambda text: None,
) -> RunReport:
    """Measure every job on a board of its type, as many at once as there are boards.

    A job whose board fails for a reason that is not the firmware's is tried on one other board; the
    one that failed is set aside. `known` firmware, by type of board, tells whose fault it is that
    nothing answers. `note` is told what begins and what ends. Raises UsageError for what is wrong
    with the lab's file, the pack or the baselines, before a board is touched.
    """
    preflight(manifest, lab, judgement)
    pool = Pool(lab, quarantined or {})
    run = _Run(pool, judgement, known or {}, manifest.git, wait_s, note)
    found: dict[str, JobReport] = {}
    failures: list[BaseException] = []
    # No more jobs wait for a board than there are boards that they could have.
    turns = {key: threading.Semaphore(max(len(key), 1)) for key in map(pool.names, manifest.jobs)}

    def work(job: Job) -> None:
        try:
            with turns[pool.names(job)]:
                if not failures:
                    found[job.name] = run.job(job)
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


def known_firmware(lab: Lab) -> dict[str, Job]:
    """Return a job of the lab's golden pack for each type of board that has one."""
    if lab.golden is None:
        return {}
    jobs = read_manifest(lab.golden / MANIFEST).jobs
    return {job.target: replace(job, board="") for job in reversed(jobs)}


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
