"""A data set in the official runner's layout: y_labels.csv, and one file of bytes a sample."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgec.codegen.mlperf import Task
from edgec.pipeline.errors import DataError

LABELS = "y_labels.csv"

# A data set is a stranger's: the largest official file has 0.4 MB, the longest list 1,000 lines.
MOST_BYTES = 16 * 2**20
MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the labels; recordings are cut to windows of `window` bytes each `stride` bytes."""

    file: str
    classes: str
    label: int
    window: int | None = None
    stride: int | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """The entries of a folder, for a task."""

    folder: Path
    task: Task
    entries: tuple[Entry, ...]

    def windows(self, entry: Entry) -> list[bytes]:
        """Return what is sent for an entry, one input after the other."""
        data = _read(self.folder / entry.file)
        size = self.task.input_bytes
        if entry.window is None or entry.stride is None:
            if len(data) != size:
                raise DataError(
                    f"{self.folder / entry.file}: {len(data)} bytes, {self.task.model} takes {size}"
                )
            return [data]
        found = [
            data[at : at + size] for at in range(0, len(data) - entry.window + 1, entry.stride)
        ]
        if not found:
            raise DataError(
                f"{self.folder / entry.file}: {len(data)} bytes, not one window of {entry.window}"
            )
        return found

    def inputs(self) -> Iterator[tuple[Entry, bytes]]:
        """Yield every input of every entry."""
        for entry in self.entries:
            for window in self.windows(entry):
                yield entry, window


def open_dataset(folder: Path, task: Task) -> Dataset:
    """Read the labels in a folder, or in its subfolder that has the task's name."""
    where = folder if (folder / LABELS).is_file() else folder / task.model
    path = where / LABELS
    if not path.is_file():
        raise DataError(
            f"{folder}: neither {LABELS} nor {task.model}/{LABELS}",
            "give the folder that the official runner calls its data set",
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for _, row in zip(range(MOST_FILES), csv.reader(file), strict=False)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    entries = tuple(_entry(path, n, row, task) for n, row in enumerate(rows, start=1) if row)
    if not entries:
        raise DataError(f"{path}: no samples")
    return Dataset(where, task, entries)


def _entry(path: Path, line: int, row: list[str], task: Task) -> Entry:
    where = f"{path}, line {line}"
    cells = [cell.strip() for cell in row]
    wanted = 5 if task.payload is None else 3
    numbers = cells[2:wanted]
    if len(cells) < wanted or not all(n.isascii() and n.isdecimal() for n in numbers):
        names = "file, classes, class, bytes to send, stride"[: 20 if wanted == 3 else None]
        raise DataError(f"{where}: {names} wanted, got {','.join(row)[:60]!r}")
    if not cells[0] or Path(cells[0]).is_absolute() or ".." in Path(cells[0]).parts:
        raise DataError(f"{where}: {cells[0]!r} is no file within the folder")
    if wanted == 3:
        return Entry(cells[0], cells[1], int(cells[2]))
    window, stride = int(cells[3]), int(cells[4])
    if window != task.input_bytes or not stride:
        raise DataError(
            f"{where}: windows of {window} bytes each {stride}, {task.model} takes "
            f"{task.input_bytes}"
        )
    return Entry(cells[0], cells[1], int(cells[2]), window, stride)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise DataError(f"{path}: over {MOST_BYTES} bytes")
    return data
