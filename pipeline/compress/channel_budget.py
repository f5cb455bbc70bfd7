"""Decides how many channels each group keeps: the same share, one ranking, or by sensitivity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from edgec.pipeline.compress.channel_ranking import Group, rounded
from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import Array

Counts = Mapping[str, int]

_LEVELS = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for each group whatever is asked of all.

    `layers` maps patterns of layer names to the fraction that these keep, `least` is the smallest
    fraction that any other keeps, `multiple` what counts are rounded to. `whole` are the sizes of
    the groups before the first round, by name.
    """

    layers: Mapping[str, float]
    least: float
    multiple: int
    whole: Mapping[str, int]

    def count(self, group: Group, fraction: float) -> int:
        """Return how many units a group keeps where `fraction` is asked of it."""
        own = self.own(group)
        fraction = max(fraction, self.least) if own is None else own
        size = self.whole[group.name]
        return min(len(group.roots), rounded(size * fraction, self.multiple, size))

    def own(self, group: Group) -> float | None:
        """Return the fraction set for a group by name: the largest of what its layers match."""
        found = [
            fraction
            for pattern, fraction in self.layers.items()
            if any(fnmatchcase(name, pattern) for name in group.layers)
        ]
        return max(found, default=None)

    def check(self, groups: Sequence[Group]) -> None:
        """Raise UsageError where a pattern matches no group."""
        for pattern in self.layers:
            if not any(fnmatchcase(name, pattern) for g in groups for name in g.layers):
                known = ", ".join(name for g in groups for name in g.layers)
                raise UsageError(
                    f"prune-channels.layers: {pattern!r} matches no layer whose channels can be "
                    "removed",
                    f"these can: {known or 'none'}",
                )


Ladder = Callable[[float], Counts]
"""The counts at a level of 0 (as few as may be) to 1 (all)."""


def uniform(groups: Sequence[Group], limits: Limits) -> Ladder:
    """Each group keeps the same fraction, which is the level."""
    return lambda level: {g.name: limits.count(g, level) for g in groups}


def ranked(groups: Sequence[Group], limits: Limits, score: Array) -> Ladder:
    """All channels are ranked in one list, by their score over the mean of their group."""
    relative = {g.name: score[g.roots] / max(float(np.mean(score[g.roots])), 1e-30) for g in groups}
    everything = np.sort(np.concatenate([relative[g.name] for g in groups]))[::-1]

    def counts(level: float) -> Counts:
        limit = everything[max(0, min(len(everything), round(level * len(everything))) - 1)]
        return {
            g.name: limits.count(g, float(np.sum(relative[g.name] >= limit)) / limits.whole[g.name])
            for g in groups
        }

    return counts


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a group's pruning alone costs: `losses[i]` of the metric at `fractions[i]` kept."""

    fractions: tuple[float, ...]
    losses: tuple[float, ...]

    def smallest(self, tolerated: float) -> float:
        """Return the smallest fraction that loses no more, interpolated between the measured."""
        above, worst = 1.0, 0.0
        for fraction, loss in sorted(zip(self.fractions, self.losses, strict=True), reverse=True):
            loss = max(loss, worst)  # keeping less is taken to cost no less
            if loss > tolerated:
                return above - (above - fraction) * (tolerated - worst) / (loss - worst)
            above, worst = fraction, loss
        return above


def by_sensitivity(
    groups: Sequence[Group], limits: Limits, measured: Mapping[str, Sensitivity]
) -> Ladder:
    """Each group keeps what it needs to lose no more than the same amount of the metric alone."""
    most = max((loss for s in measured.values() for loss in s.losses), default=0.0)

    def counts(level: float) -> Counts:
        tolerated = max(most, 1e-6) * (1.0 - level)
        return {g.name: limits.count(g, measured[g.name].smallest(tolerated)) for g in groups}

    return counts


def highest(ladder: Ladder, cost: Callable[[Counts], float], most: float, what: str) -> Counts:
    """Return the counts at the highest level that cost no more than `most`.

    Raises UsageError, saying the least that `what` can be, where even level 0 costs more.
    """
    lowest = float("inf")
    for step in range(_LEVELS, -1, -1):
        counts = ladder(step / _LEVELS)
        spent = cost(counts)
        if spent <= most:
            return counts
        lowest = min(lowest, spent)
    raise UsageError(
        f"prune-channels: {what} {most:.3g} cannot be reached, {lowest:.3g} is the least",
        "ask for less, or lower least, multiple and the fractions in layers",
    )
