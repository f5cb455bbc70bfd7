"""Lets the backends of a target compete: the fastest that answers right is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from edgec.pipeline.attempt import Made, made_by
from edgec.pipeline.backends.base import AUTO, abstention, find_backend, usual_backend
from edgec.pipeline.errors import (
    BudgetError,
    EdgecError,
    ToolMissingError,
    UnsupportedModelError,
    VerificationError,
)
from edgec.pipeline.report.result import Result, Rival
from edgec.pipeline.subject import Subject


def willing(subject: Subject) -> dict[str, str]:
    """Return for each backend of the target why it does not compete, nothing if it does."""
    return {
        name: find_backend(name).refusal(subject) or abstention(name, subject)
        for name in subject.target.backends
    }


def compete(
    names: Iterable[tuple[str, str]], attempt: Callable[[str], Result]
) -> tuple[Rival, ...]:
    """Try backends, given with why they refuse; the one to keep is marked.

    `attempt` builds, verifies and measures one. What is not there, too large or wrong stands in the
    row of its backend; the first such error is raised if no backend is left.
    """
    rivals: list[Rival] = []
    failures: list[EdgecError] = []
    for name, refusal in names:
        try:
            if refusal:
                raise UnsupportedModelError(refusal)
            result = attempt(name)
        except (BudgetError, ToolMissingError, UnsupportedModelError, VerificationError) as error:
            failures.append(error)
            rivals.append(Rival(name, why=error.message))
        else:
            timing = result.timing
            p95 = timing.p95 if timing else None
            rivals.append(Rival(name, result.total, p95, remark=result.remark))
    if all(rival.why for rival in rivals):
        raise failures[0]
    best = _best(rivals)
    return tuple(replace(rival, chosen=rival is best) for rival in rivals)


def chosen(rivals: Iterable[Rival]) -> str:
    """Return the name of the backend that is kept."""
    return next(rival.backend for rival in rivals if rival.chosen)


def _best(rivals: Iterable[Rival]) -> Rival:
    """Return the fastest of those that were verified, or the first where not all were timed."""
    right = [rival for rival in rivals if not rival.why]
    if any(rival.median is None for rival in right):
        return right[0]
    return min(right, key=lambda rival: rival.median or 0.0)


def is_contest(subject: Subject) -> bool:
    """Return whether backends compete: where they are asked to, and can be tried."""
    options = subject.options
    return options.backend == AUTO and len(subject.target.backends) > 1


def made_by_the_fastest(subject: Subject, work: Path) -> Made:
    """Have each backend build in a folder of its own, and keep what the fastest made."""
    rooms = work / "contest"
    made: dict[str, Made] = {}

    def attempt(name: str) -> Result:
        (rooms / name).mkdir(parents=True)
        made[name] = made_by(subject, name, rooms / name)
        return made[name].result

    if subject.options.emit_only or not subject.options.verify:
        # Nothing is tried out: the first that builds it is as good as any.
        willing_ones = [name for name, why in willing(subject).items() if not why]
        return made_by(subject, (willing_ones or [usual_backend(subject.target)])[0], work)
    rivals = compete(willing(subject).items(), attempt)
    best = made[chosen(rivals)]
    for path in best.folder.iterdir():
        path.rename(work / path.name)
    shutil.rmtree(rooms)
    wrong = tuple(f"{r.backend}: {r.why}" for r in rivals if "differs from" in r.why)
    warnings = (*best.result.warnings, *wrong)
    return replace(best, result=replace(best.result, rivals=rivals, warnings=warnings))
