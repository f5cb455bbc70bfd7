"""Turns what data says of its samples into targets: class numbers, or wanted outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgec.pipeline.calibration import fitted
from edgec.pipeline.compress.raw_data import RawData
from edgec.pipeline.errors import DataError
from edgec.pipeline.graph import Array
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.sample_files import InputSpec

TargetsKind = Literal["auto", "classes", "values", "inputs"]


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of every part: int64 class numbers, or float32 outputs where `classes` is None.

    `names` are the classes' names by number, where the data names them.
    """

    parts: Mapping[str, Array]
    classes: int | None
    names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """What a class is called."""
        return self.names[number] if self.names else str(number)


def read_targets(
    raw: RawData,
    kind: TargetsKind,
    inputs: Mapping[str, tuple[Array, ...]],
    output: Port,
) -> Targets:
    """Return the targets of all parts for a model with this output, or raise DataError.

    `inputs` are each part's samples in the compiled model's layout.
    """
    if kind == "inputs":
        return Targets({part: _own_inputs(raw, x, output) for part, x in inputs.items()}, None)
    given = {part: _given(raw, part, len(x[0])) for part, x in inputs.items()}
    size = int(np.prod(output.shape[1:]))
    if any(y.dtype.kind in "US" for y in given.values()):
        return _named(raw, {part: y.astype(str) for part, y in given.items()}, size)
    if kind == "classes" or (kind == "auto" and all(_is_class(y, size) for y in given.values())):
        labels = {part: _numbers(raw.place(part), y, size) for part, y in given.items()}
        return Targets(labels, max(size, 2))
    values = {part: _values(raw.place(part), y, output) for part, y in given.items()}
    return Targets(values, None, warnings=_doubts(raw, values))


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """Return class names in the order of their numbers.

    Names that are whole numbers are the numbers, `""` where one is missing; others count in
    alphabetic order.
    """
    found = sorted(set(names))
    if not all(name.isascii() and name.isdigit() for name in found):
        return tuple(found)
    by_number = {int(name): name for name in found}
    return tuple(by_number.get(number, "") for number in range(max(by_number) + 1))


def _given(raw: RawData, part: str, count: int) -> Array:
    targets = raw.parts[part].targets
    assert targets is not None
    if targets.dtype.kind not in "fiubUS":
        raise DataError(f"{raw.place(part)}: targets of type {targets.dtype}, numbers wanted")
    if targets.ndim == 0 or len(targets) != count:
        got = "one" if targets.ndim == 0 else str(len(targets))
        raise DataError(f"{raw.place(part)}: {got} targets for {count} samples, one each wanted")
    return targets


def _own_inputs(raw: RawData, inputs: tuple[Array, ...], output: Port) -> Array:
    shapes = [x.shape[1:] for x in inputs]
    if shapes != [output.keras_shape[1:]]:
        raise DataError(
            f"{raw.where}: targets 'inputs' wanted of a model from {[list(s) for s in shapes]} to "
            f"{list(output.keras_shape[1:])}: no autoencoder, whose output is as its one input"
        )
    return inputs[0]


def _is_class(targets: Array, size: int) -> bool:
    """Return whether targets look like classes: whole numbers or one-hot rows."""
    if targets.shape[1:] in ((), (1,)):
        return targets.dtype.kind in "iub"
    return targets.shape[1:] == (size,) and _is_one_hot(targets)


def _is_one_hot(targets: Array) -> bool:
    return bool(((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all())


def _numbers(where: str, targets: Array, size: int) -> Array:
    """Return class numbers of whole numbers or one-hot rows."""
    if targets.ndim == 2 and targets.shape[1] > 1:
        if targets.shape[1] != size or not _is_one_hot(targets):
            raise DataError(
                f"{where}: rows of {targets.shape[1]} targets, one-hot rows of {size} wanted",
                "give class numbers",
            )
        return np.asarray(targets.argmax(axis=1), np.int64)
    if targets.shape[1:] not in ((), (1,)):
        raise DataError(f"{where}: targets of shape {list(targets.shape[1:])}, a number wanted")
    flat = targets.reshape(-1).astype(np.int64 if targets.dtype.kind == "b" else targets.dtype)
    if not (np.isfinite(flat).all() and (flat == np.round(flat)).all()):
        wrong = flat[~(np.isfinite(flat) & (flat == np.round(flat)))][0]
        raise DataError(f"{where}: label {wrong:g}, a whole number wanted")
    _require_range(where, flat, size)
    return flat.astype(np.int64)


def _require_range(where: str, labels: Array, size: int) -> None:
    classes = max(size, 2)
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        raise DataError(
            f"{where}: label {labels[outside[0]]:g} of sample {outside[0]}, the model tells "
            f"{classes} classes apart: 0 to {classes - 1}",
            "for a model that predicts a value: targets 'values'"
            if size == 1
            else "classes count from 0",
        )


def _named(raw: RawData, given: Mapping[str, Array], size: int) -> Targets:
    """Number classes that are given by name."""
    for part, labels in given.items():
        if labels.ndim != 1:
            raise DataError(f"{raw.place(part)}: names of classes in {labels.ndim} dimensions")
    names = numbered(name for labels in given.values() for name in labels.tolist())
    classes = max(size, 2)
    as_numbers = all(not name or name.isdigit() for name in names)
    # Alphabetic order tells the numbers only where every class is there.
    if len(names) > classes or (len(names) < classes and not as_numbers):
        listed = ", ".join(name for name in names if name)
        counted = f"classes up to {names[-1]}" if as_numbers else f"{len(names)} classes by name"
        raise DataError(
            f"{raw.where}: {counted} ({listed:.200}), the model tells {classes} apart",
            f"name the classes by their numbers, 0 to {classes - 1}",
        )
    number = {name: i for i, name in enumerate(names)}
    if as_numbers:
        number |= {name: int(name) for labels in given.values() for name in set(labels.tolist())}
    numbers = {
        part: np.array([number[name] for name in y.tolist()], np.int64) for part, y in given.items()
    }
    return Targets(numbers, classes, () if as_numbers else names)


def _values(where: str, targets: Array, output: Port) -> Array:
    """Return wanted outputs in the compiled model's layout."""
    spec = InputSpec(output)
    if targets.shape[1:] == () and int(np.prod(spec.shape)) == 1:
        targets = targets.reshape(-1, *spec.shape)
    elif targets.shape[1:] == ():
        raise DataError(
            f"{where}: targets are {targets.dtype}, one a sample; the model's output "
            f"{output.name!r} has shape {list(spec.shape)}",
            "labels of classes must be whole numbers, as in y.astype('int64'), or targets "
            "'classes' be asked for",
        )
    return fitted(f"{where}: targets of output {output.name!r}", spec, targets)


def _doubts(raw: RawData, values: Mapping[str, Array]) -> tuple[str, ...]:
    """Warn of values that may have been meant as two classes."""
    train = values["train"]
    if train[0].size == 1 and np.isin(train, (0.0, 1.0)).all():
        return (
            f"{raw.where}: all targets are 0.0 or 1.0 and taken as values to predict; if they are "
            "classes, give whole numbers or targets 'classes'",
        )
    return ()
