"""Pairs the layers of two results, also where layers came or went, and says what each takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Row = Mapping[str, Any]


class _Total(Protocol):
    @property
    def before(self) -> float: ...
    @property
    def after(self) -> float: ...


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer before and after; None where it was not there. Counts are those of the results."""

    op: str
    index_before: int | None
    index_after: int | None
    kernel_before: str | None
    kernel_after: str | None
    before: int | None
    after: int | None

    @property
    def rise(self) -> int:
        """What the layer takes more."""
        return (self.after or 0) - (self.before or 0)

    def describe(self, total: _Total | None = None) -> str:
        """Return the change in words, with its share of the change of the whole."""
        index = self.index_after if self.index_after is not None else self.index_before
        kernel = self.kernel_after or self.kernel_before or ""
        if self.kernel_before and self.kernel_after and self.kernel_before != self.kernel_after:
            kernel = f"{self.kernel_before}, now {self.kernel_after}"
        text = f"layer {index} {self.op} ({kernel}): {self.before or 0:,} -> {self.after or 0:,}"
        if self.before:
            text += f" ({self.rise / self.before:+.2%})"
        elif self.index_before is None:
            text += " (new)"
        apart = 0.0 if total is None else total.after - total.before
        return f"{text}, {self.rise / apart:.0%} of the change" if apart else text


def layer_changes(before: Sequence[Row], after: Sequence[Row]) -> tuple[LayerChange, ...]:
    """Return every layer of two results, in order; layers are told by op and shape of output."""
    return tuple(_change(old, new) for old, new in _pairs(before, after))


def _pairs(before: Sequence[Row], after: Sequence[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    first, second = ([(r["op"], tuple(r["output"])) for r in rows] for rows in (before, after))
    blocks = difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    for _, i, i_end, j, j_end in blocks:
        old, new = list(before[i:i_end]), list(after[j:j_end])
        if first[i:i_end] == second[j:j_end]:
            yield from zip(old, new, strict=True)
            continue
        yield from ((row, None) for row in old)
        yield from ((None, row) for row in new)


def _change(old: Row | None, new: Row | None) -> LayerChange:
    there = new or old or {}

    def of(row: Row | None, key: str) -> Any:
        return None if row is None else row[key]

    return LayerChange(
        there["op"],
        of(old, "index"),
        of(new, "index"),
        of(old, "kernel"),
        of(new, "kernel"),
        of(old, "count"),
        of(new, "count"),
    )
