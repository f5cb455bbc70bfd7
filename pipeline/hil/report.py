"""What became of every job of a lab run, as data, JSON and cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import edgec
from edgec.pipeline.hil.attempt import Attempt
from edgec.pipeline.hil.manifest import Job
from edgec.pipeline.report.case import Case, Outcome, worst
from edgec.targets.lab import Lab

SCHEMA = "edgec.hil-report/1"


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
