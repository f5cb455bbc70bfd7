"""Describes a data set's splits and finds what makes its scores doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from edgec.pipeline.compress.dataset import Split
from edgec.pipeline.compress.labels import Targets
from edgec.pipeline.compress.splitting import Samples
from edgec.pipeline.errors import DataError
from edgec.pipeline.graph import Array

FEW = 10
UNEVEN = 10
"""A class of so many times the samples of another is worth a warning."""
LISTED = 20
"""Classes whose counts are listed one by one."""

Chosen = Mapping[str, tuple[str, Array]]


def describe(name: str, rule: str, splits: Mapping[str, Split], targets: Targets) -> str:
    """Return where the data is from, how it was split, and how many samples each class has."""
    counts = {split: splits[split].count for split in ("train", "validation", "test")}
    sizes = ", ".join(f"{count} {split}" for split, count in counts.items())
    text = f"{Path(name).name}: {sum(counts.values())} samples; {rule}: {sizes}"
    if targets.classes is None:
        return f"{text}; targets are values"
    table = _counts(splits, targets.classes)
    total = table.sum(axis=0)
    if targets.classes > LISTED:
        return f"{text}; {targets.classes} classes of {total.min()} to {total.max()} samples"
    each = ", ".join(
        f"{targets.name(number)}: {'+'.join(map(str, table[:, number]))}"
        for number in range(targets.classes)
    )
    return f"{text}; {targets.classes} classes: {each}"


def find_faults(
    splits: Mapping[str, Split], samples: Mapping[str, Samples], chosen: Chosen, targets: Targets
) -> list[str]:
    """Return warnings: samples in two splits, classes that are few, missing or contradictory.

    Raises DataError where a group is in two splits, which only splits made beforehand can do.
    """
    warnings = list(_duplicates(samples, chosen))
    _require_groups_apart(samples, chosen)
    warnings += _out_of_order(samples, chosen)
    if targets.classes is not None:
        warnings += _contradictions(samples)
        warnings += _class_faults(_counts(splits, targets.classes), targets)
    return warnings


def _counts(splits: Mapping[str, Split], classes: int) -> Array:
    """Return samples by split (row) and class (column)."""
    return np.array(
        [np.bincount(splits[s].targets, minlength=classes) for s in ("train", "validation", "test")]
    )


def _pairs(chosen: Chosen) -> Iterator[tuple[str, str]]:
    names = [name for name in ("train", "validation", "test") if name in chosen]
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            yield first, second


def _duplicates(samples: Mapping[str, Samples], chosen: Chosen) -> Iterator[str]:
    units = {split: samples[part].units[indices] for split, (part, indices) in chosen.items()}
    for first, second in _pairs(chosen):
        shared = int(np.isin(units[second], units[first]).sum())
        if shared:
            yield (
                f"{shared} of {len(units[second])} {second} samples are also in {first}, number "
                f"for number: the score on {second} is too good"
            )


def _require_groups_apart(samples: Mapping[str, Samples], chosen: Chosen) -> None:
    groups = {
        split: group[indices]
        for split, (part, indices) in chosen.items()
        if (group := samples[part].group) is not None and group.shape == samples[part].units.shape
    }
    for first, second in _pairs(chosen):
        if chosen[first][0] == chosen[second][0] or not {first, second} <= set(groups):
            continue
        shared = np.intersect1d(groups[first].astype(str), groups[second].astype(str))
        if len(shared):
            raise DataError(
                f"{samples[chosen[second][0]].where}: group {shared[0]} is in {first} and in "
                f"{second}",
                "give each group to one split",
            )


def _out_of_order(samples: Mapping[str, Samples], chosen: Chosen) -> Iterator[str]:
    times = {
        split: time[indices]
        for split, (part, indices) in chosen.items()
        if (time := samples[part].time) is not None and time.dtype.kind in "iufM"
    }
    for first, second in _pairs(chosen):
        if chosen[first][0] == chosen[second][0] or not {first, second} <= set(times):
            continue
        if times[first].dtype.kind == "M" or times[second].dtype.kind == "M":
            continue
        if times[second].min() < times[first].max():
            yield f"the {second} samples as given are not all later than those of {first}"


def _contradictions(samples: Mapping[str, Samples]) -> Iterator[str]:
    units = np.concatenate([part.units for part in samples.values()])
    labels = np.concatenate([part.targets for part in samples.values()])
    pairs = np.unique(np.stack([units, labels]), axis=1)
    wrong = int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
    if wrong:
        yield f"{wrong} samples occur with more than one label"


def _class_faults(table: Array, targets: Targets) -> Iterator[str]:
    total = table.sum(axis=0)
    for number, count in enumerate(total):
        name = targets.name(number)
        if not count:
            yield f"class {name} has no samples"
            continue
        absent = [
            split
            for split, there in zip(("train", "validation", "test"), table[:, number], strict=True)
            if not there
        ]
        if absent:
            yield f"class {name} is missing from {' and '.join(absent)}"
        if count < FEW:
            yield f"class {name} has {count} samples, {FEW} or more wanted"
    present = total[total > 0]
    if len(present) and present.max() > UNEVEN * present.min():
        yield (
            f"classes are uneven, {present.min()} to {present.max()} samples: accuracy says "
            "little of the rare ones; look at f1"
        )
