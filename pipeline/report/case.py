"""What became of one model on one board: the outcome, and the result if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import UsageError
from edgec.pipeline.report.document import Document
from edgec.pipeline.report.schema import checked, read_checked


class Outcome(StrEnum):
    """How it ended. What speaks against the firmware, and what against the lab, is never one."""

    PASSED = "passed"
    WRONG = "wrong output"
    NO_ANSWER = "no answer"
    REGRESSED = "regression"
    INVALID = "invalid measurement"
    INFRASTRUCTURE = "infrastructure"
    ABSENT = "no board"
    QUARANTINED = "quarantined"

    @property
    def exit_code(self) -> int:
        """The exit code of a run in which this was the worst."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Outcome.PASSED: 0,
    Outcome.WRONG: 1,
    Outcome.NO_ANSWER: 1,
    Outcome.ABSENT: 3,
    Outcome.QUARANTINED: 3,
    Outcome.INVALID: 5,
    Outcome.REGRESSED: 6,
    Outcome.INFRASTRUCTURE: 8,
}

WORST_FIRST = (
    Outcome.WRONG,
    Outcome.NO_ANSWER,
    Outcome.REGRESSED,
    Outcome.INVALID,
    Outcome.INFRASTRUCTURE,
    Outcome.ABSENT,
    Outcome.QUARANTINED,
    Outcome.PASSED,
)
"""What speaks against the firmware comes before what speaks against the lab."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model on a board. `result` is the measurement, None where there is none to trust."""

    model: str
    target: str
    board: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    result: Document | None = None

    @property
    def name(self) -> str:
        """Model and target, as "kws/cortex-m4"."""
        return f"{self.model}/{self.target}"


def worst(outcomes: list[Outcome]) -> Outcome:
    """Return the outcome that decides the exit code."""
    return min(outcomes, key=WORST_FIRST.index, default=Outcome.PASSED)


def read_cases(path: Path) -> list[Case]:
    """Read a result, a bundle's folder, or the report of a lab run."""
    file = path / "result.json" if path.is_dir() else path
    hint = "give what 'edgec bench -o', 'edgec build' or 'edgec hil run -o' wrote"
    data = read_checked(file, "any", hint)
    if data["schema"] == "edgec.bench/1":
        return [_of_result(checked(data, "bench", str(file), hint))]
    if data["schema"] != "edgec.hil-report/1":
        raise UsageError(f"{file}: {data['schema']} is no result", hint)
    report = checked(data, "hil-report", str(file), hint)
    return [_of_job(job, str(file), hint) for job in report["jobs"]]


def _of_result(result: dict[str, Any]) -> Case:
    model, target, valid = result["model"], result["target"], result["validity"]
    return Case(
        model["name"],
        target["name"],
        target["board"] or "",
        Outcome.PASSED if valid["ok"] else Outcome.INVALID,
        "; ".join(valid["reasons"]),
        result=result if valid["ok"] else None,
    )


def _of_job(job: Mapping[str, Any], where: str, hint: str) -> Case:
    result = job["result"]
    return Case(
        job["model"],
        job["target"],
        job["board"] or "",
        Outcome(job["outcome"]),
        job["message"],
        job["seconds"],
        None if result is None else checked(result, "bench", where, hint),
    )
