"""Reads labelled data from a CSV file: a row a sample, the target in a column of its own."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgec.pipeline.compress.raw_data import Columns, RawData, RawPart
from edgec.pipeline.errors import DataError
from edgec.pipeline.graph import Array
from edgec.pipeline.sample_files import InputSpec


@dataclass(frozen=True, slots=True)
class _Table:
    """Cells as they are in the file; `lines` are the rows' line numbers."""

    path: Path
    header: list[str] | None
    rows: list[list[str]]
    lines: list[int]

    @property
    def width(self) -> int:
        return len(self.header) if self.header is not None else len(self.rows[0])

    def column(self, index: int) -> list[str]:
        return [row[index] for row in self.rows]


def read_table(path: Path, spec: InputSpec, columns: Columns) -> RawData:
    """Read samples and targets, or raise DataError that names the line.

    Columns called `group` and `time`, or named so in `columns`, are not part of the samples.
    """
    table = _read(path, columns)
    group = _find(table, columns.group, "group")
    time = _find(table, columns.time, "time")
    taken = [index for index in (group, time) if index is not None]
    labels = _label_columns(table, columns, taken)
    features = [i for i in range(table.width) if i not in (*taken, *labels)]
    wanted = int(np.prod(spec.shape))
    if len(features) != wanted:
        apart = ", ".join(_name(table, i) for i in (*labels, *taken))
        raise DataError(
            f"{path}: {len(features)} columns beside {apart or 'no target'}, "
            f"input {spec.name!r} of shape {list(spec.shape)} takes {wanted}"
        )
    values = _numbers(table, features).reshape(len(table.rows), *spec.shape)
    part = RawPart(
        {spec.name: values},
        _targets(table, labels) if columns.targets else None,
        None if group is None else np.array(table.column(group)),
        None if time is None else np.array(table.column(time)),
    )
    return RawData(str(path), {"train": part})


def _read(path: Path, columns: Columns) -> _Table:
    rows, lines = [], []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            reader = csv.reader(stream, strict=True)
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append([cell.strip() for cell in row])
                    lines.append(reader.line_num)
        except csv.Error as error:
            raise DataError(f"{path}: line {reader.line_num}: {error}") from None
    if not rows:
        raise DataError(f"{path}: no samples in the file")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            raise DataError(f"{path}: line {line} has {len(row)} cells, line 1 has {len(rows[0])}")
    named = any((columns.label, columns.group, columns.time))
    header = rows[0] if named or _is_header(rows) else None
    if header is None:
        return _Table(path, None, rows, lines)
    if len(rows) == 1:
        raise DataError(f"{path}: a header and no samples")
    return _Table(path, header, rows[1:], lines[1:])


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has a text that does not come again in its column.

    A class that is given by name comes again; a column's name does not.
    """
    below = [set(column) for column in zip(*rows[1:], strict=True)] or [set() for _ in rows[0]]
    return any(
        not _is_number(cell) and cell not in others
        for cell, others in zip(rows[0], below, strict=True)
    )


def _find(table: _Table, asked: str | None, usual: str) -> int | None:
    name = asked or usual
    if table.header is not None and table.header.count(name) == 1:
        return table.header.index(name)
    if asked is None:
        return None
    raise DataError(
        f"{table.path}: {'two columns' if name in (table.header or ()) else 'no column'} {name!r}",
        f"its columns: {', '.join(table.header or ())}"[:300],
    )


def _label_columns(table: _Table, columns: Columns, taken: Sequence[int]) -> list[int]:
    if columns.label is not None:
        names = [name.strip() for name in columns.label.split(",")]
        return [index for name in names if (index := _find(table, name, name)) is not None]
    if not columns.targets:
        return []
    return [max(i for i in range(table.width) if i not in taken)]


def _targets(table: _Table, labels: Sequence[int]) -> Array:
    """Return whole numbers, numbers or names, as the cells are."""
    if len(labels) > 1:
        return _numbers(table, labels)
    cells = table.column(labels[0])
    for line, cell in zip(table.lines, cells, strict=True):
        if not cell:
            raise DataError(f"{table.path}: line {line} has no {_name(table, labels[0])}")
    try:
        return np.array([int(cell) for cell in cells], np.int64)
    except (ValueError, OverflowError):
        pass
    if all(map(_is_number, cells)):
        return np.array(cells, np.float64)
    return np.array(cells)


def _numbers(table: _Table, indices: Sequence[int]) -> Array:
    """Return columns as float64 of shape (rows, columns)."""
    try:
        return np.array([[row[i] for i in indices] for row in table.rows]).astype(np.float64)
    except ValueError:
        pass
    for line, row in zip(table.lines, table.rows, strict=True):
        for index in indices:
            if not _is_number(row[index]):
                raise DataError(
                    f"{table.path}: line {line}, {_name(table, index)}: {row[index]!r:.40} is no "
                    "number"
                )
    raise AssertionError("numpy and float() disagree on a number")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _name(table: _Table, index: int) -> str:
    if table.header is None:
        return f"column {index + 1}"
    return f"column {table.header[index]!r}"
