"""One job on one board: flashed, verified, measured, and what became of it told in one word."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import (
    DeviceError,
    EdgecError,
    InfrastructureError,
    MeasurementError,
    ToolMissingError,
    UsageError,
    VerificationError,
)
from edgec.pipeline.hil.manifest import Job
from edgec.pipeline.hil.packed import unpack
from edgec.pipeline.report.baseline import find_baseline
from edgec.pipeline.report.case import Outcome
from edgec.pipeline.report.comparison import Comparison, Limits, compare
from edgec.pipeline.report.document import Document, document
from edgec.pipeline.report.stamp import now
from edgec.pipeline.trial import Trial, try_image
from edgec.targets.lab import LabBoard, reached
from edgec.targets.runners.board import probe_of


@dataclass(frozen=True, slots=True)
class Judgement:
    """What results are compared with, and how strictly; `baseline` is None if with nothing."""

    baseline: Path | None = None
    limits: Limits = field(default_factory=Limits)
    allow_throttled: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a job on a board; `result` is None where there is none to trust."""

    board: str
    outcome: Outcome
    message: str
    seconds: float
    result: Document | None = None
    comparison: Comparison | None = None


def attempt(
    job: Job, board: LabBoard, judgement: Judgement, git: Mapping[str, Any] | None
) -> Attempt:
    """Put a job on a board that is held, and judge what it answers.

    Raises UsageError, and nothing else of edgec's, for what `preflight` would have found.
    """
    begun = time.monotonic()
    outcome, message = Outcome.PASSED, ""
    result: Document | None = None
    comparison: Comparison | None = None
    try:
        result = _measured(job, board, judgement, git)
        if not result["validity"]["ok"]:
            outcome, message = Outcome.INVALID, "; ".join(result["validity"]["reasons"])
        elif judgement.baseline is not None:
            comparison = compare(
                find_baseline(judgement.baseline, result), result, judgement.limits
            )
            if comparison.regressions:
                outcome, message = Outcome.REGRESSED, "\n".join(comparison.regressions)
    except EdgecError as error:
        outcome, message = _outcome(error), str(error)
    seconds = time.monotonic() - begun
    return Attempt(board.name, outcome, message, seconds, result, comparison)


def _compared(folder: Path, result: Document, limits: Limits) -> Comparison:
    """Compare a result with its baseline; raise MeasurementError if they cannot be compared."""
    try:
        return compare(find_baseline(folder, result), result, limits)
    except UsageError as error:
        raise MeasurementError(error.message, "save the baseline again") from error


def _outcome(error: EdgecError) -> Outcome:
    """Tell what speaks against the firmware from what speaks against the lab."""
    match error:
        case VerificationError():
            return Outcome.WRONG
        case MeasurementError():
            return Outcome.INVALID
        # The lab's file says that the board is there, and with what it is reached.
        case DeviceError() | InfrastructureError() | ToolMissingError():
            return Outcome.INFRASTRUCTURE
    raise error


def _measured(
    job: Job, board: LabBoard, judgement: Judgement, git: Mapping[str, Any] | None
) -> Document:
    target = reached(board)
    packed = unpack(job, target)
    trial = Trial(packed, packed.samples, lambda _: None)
    checked, bench = try_image(
        trial, packed.image(), board.name, counted=True, allow_throttled=judgement.allow_throttled
    )
    assert bench is not None
    serial, tool = probe_of(target)
    planned = replace(
        packed.planned(),
        verified=(checked,),
        runner=target.runner,
        board=board.name,
        serial=serial,
        tool=tool,
    )
    return document(packed.measured(planned, bench), now(git))
