"""Divides samples into training, validation and test so that nothing of one is in another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgec.pipeline.errors import DataError, ToolMissingError
from edgec.pipeline.graph import Array

SplitKind = Literal["random", "group", "time"]

GROUP_CANDIDATES = 20
"""Random divisions of groups of which the most even one is taken."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples and what says which of them belong together.

    `units` numbers the samples such that identical ones have the same number, across all parts.
    """

    where: str
    inputs: tuple[Array, ...]
    targets: Array
    units: Array
    group: Array | None = None
    time: Array | None = None


def identical(parts: Sequence[tuple[Array, ...]]) -> list[Array]:
    """Return a number for each sample of each part, the same for samples of the same bytes."""
    numbers: dict[bytes, int] = {}
    found = []
    for inputs in parts:
        units = np.empty(len(inputs[0]), np.int64)
        for index in range(len(units)):
            digest = hashlib.blake2b(digest_size=16)
            for array in inputs:
                digest.update(array[index].tobytes())
            units[index] = numbers.setdefault(digest.digest(), len(numbers))
        found.append(units)
    return found


def divide(
    samples: Samples, kind: SplitKind, shares: Mapping[str, float], strata: Array | None, seed: int
) -> dict[str, Array]:
    """Return the indices of `train` and of each split that `shares` wants, sorted.

    `strata` are class numbers that every split should have in the same proportions. Raises
    DataError where there are too few samples or groups, or no group or time is given.
    """
    count = len(samples.units)
    if kind == "random":
        held = _random(samples.units, shares, strata, seed)
    elif kind == "group":
        held = _by_group(_checked(samples, "group"), shares, strata, seed, samples.where)
    else:
        held = _by_time(_times(samples), shares)
    rest = np.setdiff1d(np.arange(count), np.concatenate([*held.values(), np.empty(0, np.int64)]))
    chosen = {"train": rest, **{name: np.sort(indices) for name, indices in held.items()}}
    for name, indices in chosen.items():
        if not len(indices):
            raise DataError(
                f"{samples.where}: {count} samples leave none for {name}",
                "give more samples, or other shares",
            )
    return chosen


def _random(
    units: Array, shares: Mapping[str, float], strata: Array | None, seed: int
) -> dict[str, Array]:
    """Draw from each stratum; identical samples count as one and stay together."""
    _, first, which, sizes = np.unique(
        units, return_index=True, return_inverse=True, return_counts=True
    )
    stratum = strata[first] if strata is not None else np.zeros(len(first), np.int64)
    generator = np.random.default_rng(seed)
    held: dict[str, list[Array]] = {name: [] for name in shares}
    for value in np.unique(stratum):
        left = generator.permutation(np.flatnonzero(stratum == value))
        total = int(sizes[left].sum())
        enough = len(left) > len(shares)
        for others, name in zip(reversed(range(len(shares))), shares, strict=True):
            quota = max(round(shares[name] * total), int(enough))
            if not quota:
                continue
            end = int(np.searchsorted(np.cumsum(sizes[left]), quota)) + 1
            # One is left for training, and for each other split where there are enough.
            end = max(0, min(end, len(left) - 1 - (others if enough else 0)))
            held[name].append(left[:end])
            left = left[end:]
    return {
        name: np.flatnonzero(np.isin(which, np.concatenate([*parts, np.empty(0, np.int64)])))
        for name, parts in held.items()
    }


def _by_group(
    groups: Array, shares: Mapping[str, float], strata: Array | None, seed: int, where: str
) -> dict[str, Array]:
    """Draw whole groups."""
    names = np.unique(groups)
    if len(names) <= len(shares):
        raise DataError(
            f"{where}: {len(names)} groups for {len(shares) + 1} splits, one each or more wanted"
        )
    held: dict[str, Array] = {}
    left, share_left = np.arange(len(groups)), 1.0
    for name, share in reversed(list(shares.items())):
        others = len(shares) - len(held)
        taken = _draw_groups(groups[left], share / share_left, others,
                             strata[left] if strata is not None else None, seed)  # fmt: skip
        held[name] = left[taken]
        left, share_left = np.delete(left, taken), share_left - share
    return {name: held[name] for name in shares}


def _draw_groups(
    groups: Array, share: float, others: int, strata: Array | None, seed: int
) -> Array:
    """Return the indices of whole groups, about `share` of the samples, leaving `others` groups.

    Of several random draws that one is taken whose size and proportions of classes are nearest to
    what is wanted.
    """
    try:
        from sklearn.model_selection import GroupShuffleSplit
    except ImportError:
        raise ToolMissingError(
            "splitting by group needs scikit-learn", "pip install 'edgec[tensorflow]'"
        ) from None
    count = len(np.unique(groups))
    wanted = min(max(1, round(share * count)), count - others)
    draws = GroupShuffleSplit(GROUP_CANDIDATES, test_size=wanted, random_state=seed)
    classes = strata if strata is not None else np.zeros(len(groups), np.int64)
    whole = np.bincount(classes) / len(groups)

    def unevenness(taken: Array) -> float:
        part = np.bincount(classes[taken], minlength=len(whole)) / len(taken)
        return float(np.abs(part - whole).sum() + abs(len(taken) / len(groups) - share))

    candidates = [np.asarray(test) for _, test in draws.split(groups, groups=groups)]
    return min(candidates, key=unevenness)


def _by_time(times: Array, shares: Mapping[str, float]) -> dict[str, Array]:
    """Cut in order of time, the last share last; samples of one time stay together."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    held: dict[str, Array] = {}
    end = len(times)
    for name, share in reversed(list(shares.items())):
        start = max(0, end - round(share * len(times)))
        if 0 < start < len(times):
            start = int(np.searchsorted(ordered, ordered[start]))
        held[name] = order[start:end]
        end = start
    return held


def _checked(samples: Samples, kind: Literal["group", "time"]) -> Array:
    """Return the group or time of each sample."""
    array = samples.group if kind == "group" else samples.time
    if array is None:
        raise DataError(
            f"{samples.where}: no {kind} of the samples to split by",
            f"an array or column {kind!r}, or one that is named as it",
        )
    count = len(samples.units)
    if array.shape != (count,):
        raise DataError(f"{samples.where}: {kind} of shape {list(array.shape)}, [{count}] wanted")
    if array.dtype.kind in "f" and not np.isfinite(array).all():
        raise DataError(f"{samples.where}: a {kind} that is not finite")
    if array.dtype.kind in "US" and (array.astype(str) == "").any():
        sample = int(np.flatnonzero(array.astype(str) == "")[0])
        raise DataError(f"{samples.where}: sample {sample} has no {kind}")
    return array


def _times(samples: Samples) -> Array:
    """Return times that can be put in order: numbers, or dates in ISO 8601."""
    array = _checked(samples, "time")
    if array.dtype.kind in "US":
        try:
            array = array.astype(np.float64)
        except ValueError:
            try:
                array = array.astype("datetime64[us]")
            except ValueError as error:
                raise DataError(
                    f"{samples.where}: time: {error}", "numbers, or as in 2024-05-31T12:00:00"
                ) from None
    if array.dtype.kind not in "iufM" or (array != array).any():
        raise DataError(f"{samples.where}: a time that is none, of type {array.dtype}")
    return array
