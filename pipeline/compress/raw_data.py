"""Labelled data as a file or function gives it, before it is checked against the model's shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgec.pipeline.errors import DataError
from edgec.pipeline.graph import Array
from edgec.pipeline.sample_files import InputSpec

HELD_OUT = ("validation", "test")


@dataclass(frozen=True, slots=True)
class Columns:
    """What the target, the group and the time are called; None for the usual names.

    `targets` is whether targets are wanted at all: an autoencoder has none.
    """

    label: str | None = None
    group: str | None = None
    time: str | None = None
    targets: bool = True


@dataclass(frozen=True, slots=True)
class RawPart:
    """Samples of one split, or of all: an array for each input, and what belongs to each sample."""

    inputs: Mapping[str, Array]
    targets: Array | None = None
    group: Array | None = None
    time: Array | None = None


@dataclass(frozen=True, slots=True)
class RawData:
    """All that was read: `parts` has `train`, and the splits that the source itself made."""

    where: str
    parts: Mapping[str, RawPart]
    warnings: tuple[str, ...] = ()

    def place(self, part: str) -> str:
        """Name a part in messages."""
        return self.where if len(self.parts) == 1 else f"{self.where} ({part})"


def from_arrays(
    where: str, arrays: Mapping[str, Any], inputs: Sequence[InputSpec], columns: Columns
) -> RawData:
    """Take named arrays apart into splits, or raise DataError.

    `<name>`, or `<name>_train`, is to be split where `<name>_validation` or `<name>_test` is
    missing. The names are those of the inputs, `x` for the only one, `y`, `group` and `time`.
    """
    named = {name: np.asarray(array) for name, array in arrays.items()}
    used: set[str] = set()
    suffix = "_train" if any(f"{name}_train" in named for name in _names(inputs)) else ""
    parts = {"train": _part(where, named, suffix, inputs, columns, used)}
    for part in HELD_OUT:
        if any(f"{name}_{part}" in named for name in (*_names(inputs), _label(columns))):
            parts[part] = _part(where, named, f"_{part}", inputs, columns, used)
    unused = sorted(set(named) - used - ({_label(columns)} if not columns.targets else set()))
    warnings = (f"{where}: not used: {', '.join(unused)}",) if unused else ()
    return RawData(where, parts, warnings)


def _names(inputs: Sequence[InputSpec]) -> list[str]:
    names = [spec.name for spec in inputs]
    return [*names, "x"] if len(names) == 1 and "x" not in names else names


def _label(columns: Columns) -> str:
    return columns.label or "y"


def _part(
    where: str,
    named: Mapping[str, Array],
    suffix: str,
    inputs: Sequence[InputSpec],
    columns: Columns,
    used: set[str],
) -> RawPart:
    """Return the arrays of one split and note their names in `used`."""

    def find(name: str) -> Array | None:
        key = f"{name}{suffix}"
        if key not in named:
            return None
        used.add(key)
        return named[key]

    values = {spec.name: find(spec.name) for spec in inputs}
    if len(inputs) == 1 and values[inputs[0].name] is None:
        values[inputs[0].name] = find("x")
    missing = [f"{name}{suffix}" for name, value in values.items() if value is None]
    if missing:
        lone = f" or 'x{suffix}'" if len(inputs) == 1 else ""
        raise DataError(
            f"{where}: no array {missing[0]!r}{lone}, got {sorted(named)}",
            f"name the arrays as the inputs: {', '.join(f'{s.name}{suffix}' for s in inputs)}",
        )
    targets = find(_label(columns)) if columns.targets else None
    if columns.targets and targets is None:
        raise DataError(
            f"{where}: no array {_label(columns) + suffix!r} of targets, got {sorted(named)}",
            "an autoencoder, whose targets are its inputs, must be asked for: targets 'inputs'",
        )
    group, time = find(columns.group or "group"), find(columns.time or "time")
    for array, name in ((group, columns.group), (time, columns.time)):
        if array is None and name is not None:
            raise DataError(f"{where}: no array {name + suffix!r}, got {sorted(named)}")
    return RawPart({k: v for k, v in values.items() if v is not None}, targets, group, time)
