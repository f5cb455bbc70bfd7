"""Chooses which channels of a model go: ranks them, and splits what may stay over the layers.

Worker process only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from edgec.pipeline.compress.channel_budget import (
    Counts,
    Ladder,
    Limits,
    Sensitivity,
    by_sensitivity,
    highest,
    ranked,
    uniform,
)
from edgec.pipeline.compress.channel_coupling import OUTPUT, Coupling, Kept, analyse, macs
from edgec.pipeline.compress.channel_ranking import (
    Criterion,
    Group,
    groups,
    keep_best,
    rounded,
    scores,
)
from edgec.pipeline.compress.channel_removal import remove
from edgec.pipeline.compress.training import predict
from edgec.pipeline.compress.work import Work
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array
from edgec.pipeline.worker import Progress

Allocation = Literal["uniform", "ranked", "sensitivity"]

_FRACTIONS = (0.75, 0.5, 0.25)
_JUDGED_BY = 512


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: the fraction of channels, or of `macs`, to keep, and how to find them."""

    keep: float
    macs: float | None
    criterion: Criterion
    allocation: Allocation
    layers: Mapping[str, float]
    least: float
    multiple: int
    samples: int


@dataclass(frozen=True, slots=True)
class Start:
    """Sizes before the first round, which the fractions of all rounds are of."""

    limits: Limits
    macs: int


def measure(model: Any, plan: Plan) -> Start:
    """Return the sizes of a model; raise UnsupportedModelError where no channel can go."""
    found = analyse(model)
    sizes = {group.name: len(group.roots) for group in groups(found)}
    if not sizes:
        raise UnsupportedModelError(
            f"model {model.name!r}: no layer's channels can be removed: "
            + ("; ".join(blocked_layers(found)) or "it has no layer with filters")
        )
    limits = Limits(plan.layers, plan.least, plan.multiple, sizes)
    limits.check(groups(found))
    return Start(limits, macs(found, _all(found)))


def choose(found: Coupling, start: Start, plan: Plan, share: float, work: Work) -> Kept:
    """Return which units stay to keep `share` of the channels, or of the MACs."""
    score = scores(found, plan.criterion, work.data.calibration(plan.samples, work.seed))
    parts = groups(found)
    if plan.allocation == "sensitivity":
        ladder: Ladder = by_sensitivity(
            parts, start.limits, sensitivities(found, parts, score, plan.multiple, work)
        )
    elif plan.allocation == "ranked":
        ladder = ranked(parts, start.limits, score)
    else:
        ladder = uniform(parts, start.limits)
    counts = _counts(ladder, found, start, plan, share, score)
    return keep_best(found, counts, score, plan.multiple)


def _counts(
    ladder: Ladder, found: Coupling, start: Start, plan: Plan, share: float, score: Array
) -> Counts:
    if plan.macs is not None:

        def cost(counts: Counts) -> float:
            return macs(found, keep_best(found, counts, score, plan.multiple)) / start.macs

        return highest(ladder, cost, share, "the share of MACs")
    if plan.allocation == "uniform":
        return ladder(share)
    free = [name for name in start.limits.whole if name not in _set_by_name(found, start.limits)]
    wanted = sum(start.limits.whole[name] for name in free)
    # Rounding to a multiple may leave a few more than asked for, as it does for each layer alone.
    slack = max(1, plan.multiple // 2) * len(free)
    most = (share * wanted + slack) / max(wanted, 1)
    return highest(
        ladder, lambda c: sum(c[name] for name in free) / max(wanted, 1), most, "the share"
    )


def _set_by_name(found: Coupling, limits: Limits) -> set[str]:
    return {group.name for group in groups(found) if limits.own(group) is not None}


def sensitivities(
    found: Coupling, parts: Sequence[Group], score: Array, multiple: int, work: Work
) -> dict[str, Sensitivity]:
    """Measure on validation samples what pruning each group alone costs, untrained."""
    judged = work.data.validation.take(np.arange(min(_JUDGED_BY, work.data.validation.count)))
    sign = 1.0 if work.metric.higher_is_better else -1.0

    def judge(model: Any) -> float:
        return sign * work.metric.score(predict(model, judged), judged.targets)

    whole = judge(found.model)
    result = {}
    for index, group in enumerate(parts):
        work.report(Progress("sensitivity", index, len(parts), group.name))
        losses = []
        for fraction in _FRACTIONS:
            count = rounded(len(group.roots) * fraction, multiple, len(group.roots))
            kept = keep_best(found, {group.name: count}, score, multiple)
            losses.append(max(0.0, whole - judge(remove(found, kept))))
        result[group.name] = Sensitivity(_FRACTIONS, tuple(losses))
    return result


def remembered(path: Path, units: int, choice: Callable[[], Kept]) -> Kept:
    """Return the mask that an interrupted run chose, or make the choice and write it down."""
    if path.is_file():
        gone = np.array(json.loads(path.read_text(encoding="utf-8")), np.int64)
        kept = np.ones(units, bool)
        kept[gone] = False
        return kept
    kept = choice()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    partial.write_text(json.dumps(np.flatnonzero(~kept).tolist()), encoding="utf-8")
    partial.replace(path)
    return kept


def blocked_layers(found: Coupling) -> list[str]:
    """Return in words why layers that make channels keep all of them, output layers left out."""
    told = []
    for name, role in found.roles.items():
        why = found.why_fixed(role.made())
        if why and why != OUTPUT:
            told.append(f"{name} keeps all or some of its channels: {why}")
    return told


def sizes_told(before: Coupling, after: Coupling) -> str:
    """Return each group's number of channels before and after, in words."""
    now = {group.name: len(group.roots) for group in groups(after)}
    return ", ".join(
        f"{group.name} {len(group.roots)} -> {now[group.name]}" for group in groups(before)
    )


def _all(found: Coupling) -> Kept:
    return np.ones(len(found.units), bool)
