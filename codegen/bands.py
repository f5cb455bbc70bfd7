"""Rows of layers: which input rows an output row needs, and a layer cut down to some of its rows.

A band of a layer is a layer of the same kind: its input is as high as the rows it needs, and what
is padded above and below is explicit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgec.codegen.registry import Const, Io, KernelOp, Step
from edgec.codegen.window import Window
from edgec.pipeline.graph import Tensor

_SAME_ROW = Window((1, 1), (1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A layer that can be computed by rows.

    `window` says which rows of its input one needs, `sources` are the names of the inputs that are
    read by rows, each once, and `in_high` is how many rows these have.
    """

    op: KernelOp
    io: Io
    window: Window
    sources: tuple[str, ...]
    in_high: int

    def needs(self, rows: range) -> range:
        """Return the input rows, those inside the image, under the windows of output rows."""
        if not rows:
            return range(0)
        top, bottom = self.reach(rows)
        first = min(max(top, 0), self.in_high)
        return range(first, max(min(bottom, self.in_high), first))

    def band(self, rows: range) -> tuple[KernelOp, Io]:
        """Return the layer that makes only `rows` of the output from the rows they need."""
        top, bottom = self.reach(rows)
        inside = self.needs(rows)
        above, below = inside.start - top, bottom - inside.stop
        inputs = tuple(
            t if t is None or t.data is not None else _cut(t, len(inside)) for t in self.io.inputs
        )
        io = Io(inputs, (_cut(self.io.y, len(rows)),))
        if self.window is _SAME_ROW:
            return self.op, io
        window = replace(
            self.window,
            before=(above, self.window.before[1]),
            after=(below, self.window.after[1]),
        )
        changed: dict[str, Any] = {"window": window}
        return replace(self.op, **changed), io

    def reach(self, rows: range) -> tuple[int, int]:
        """Return the input rows under the windows of output rows, padding included."""
        win = self.window
        top = rows.start * win.stride[0] - win.before[0]
        last = (rows.stop - 1) * win.stride[0] - win.before[0]
        return top, last + (win.kernel[0] - 1) * win.dilation[0] + 1


def member(op: KernelOp, io: Io) -> Member | None:
    """Return the layer as one that can be computed by rows; None where it cannot."""
    if not op.banded or len(io.outputs) != 1:
        return None
    values = [t for t in io.present if t.data is None]
    if not values or any(len(t.shape) != 4 or t.shape[0] != 1 for t in (*values, io.y)):
        return None
    sources = tuple(dict.fromkeys(t.name for t in values))
    window = getattr(op, "window", None)
    if isinstance(window, Window):
        alone = len(values) == 1 and values[0] is io.x
        return Member(op, io, window, sources, io.x.shape[1]) if alone else None
    flat = all(len(t.shape) < 3 or t.shape[-3] == 1 for t in io.present if t.data is not None)
    if not flat or any(t.shape != io.y.shape for t in values):
        return None
    return Member(op, io, _SAME_ROW, sources, io.y.shape[1])


def _cut(tensor: Tensor, rows: int) -> Tensor:
    return replace(tensor, shape=(1, rows, *tensor.shape[2:]))


def row_bytes(tensor: Tensor) -> int:
    """Return the bytes of one row of a (1, height, width, channels) tensor."""
    return tensor.size_bytes // tensor.shape[1]


@dataclass(frozen=True, slots=True)
class Stripe:
    """What happens in one turn: the rows that each member makes, and those that are in memory.

    `held` has the rows of every value but the last that are read in this turn or are made in it;
    those made earlier and read later are among them.
    """

    made: tuple[range, ...]
    held: Mapping[str, range]


def stripes(members: Sequence[Member], rows: int) -> tuple[Stripe, ...]:
    """Return the turns that make the last member's output, `rows` rows at a time.

    No row is made twice: rows that a later turn needs again are held.
    """
    high = members[-1].io.y.shape[1]
    names = [each.io.y.name for each in members]
    readers: dict[str, list[int]] = {}
    for i, each in enumerate(members):
        for name in each.sources:
            readers.setdefault(name, []).append(i)
    total = _goals(members, names, [0] * len(members), high)
    done = [0] * len(members)
    ends = dict.fromkeys(readers, 0)
    turns = []
    for first in range(0, high, rows):
        goals = _goals(members, names, done, min(first + rows, high))
        made = [range(at, max(goals[name], at)) for at, name in zip(done, names, strict=True)]
        held = {}
        for name, users in readers.items():
            before, end = ends[name], max(goals.get(name, 0), ends[name])
            starts = [
                members[i].needs(range(done[i], done[i] + 1)).start
                for i in users
                if done[i] < total[names[i]]
            ]
            held[name] = range(min(*starts, before, end) if starts else end, end)
            ends[name] = end
        turns.append(Stripe(tuple(made), held))
        done = [r.stop for r in made]
    return tuple(turns)


def _goals(
    members: Sequence[Member], names: Sequence[str], done: Sequence[int], end: int
) -> dict[str, int]:
    """Return up to which row each value must be made so that the last has `end` rows."""
    goals = {names[-1]: end}
    for i in range(len(members) - 1, -1, -1):
        goal = goals.setdefault(names[i], 0)
        if goal > done[i]:
            stop = members[i].needs(range(done[i], goal)).stop
            for name in members[i].sources:
                goals[name] = max(goals.get(name, 0), stop)
    return goals


class BandKernels:
    """Bands lowered to calls of one kernel, each shape once."""

    def __init__(self, features: frozenset[str]) -> None:
        self.features = features
        self._whole: dict[int, int] = {}
        self._found: dict[tuple[int, int, int, int, int], tuple[Step, Step | None]] = {}

    def step(self, each: Member, like: Step, rows: range) -> Step | None:
        """Return the call that makes `rows` with the kernel and the constants of `like`.

        None where that kernel does not take the band.
        """
        top, bottom = each.reach(rows)
        inside = each.needs(rows)
        if not inside:
            return None
        key = (id(like), inside.start - top, len(inside), bottom - inside.stop, len(rows))
        if key not in self._found:
            # `like` is kept, so that its id stays its own
            self._found[key] = (like, self._lowered(each, like, rows))
        return self._found[key][1]

    def _lowered(self, each: Member, like: Step, rows: range) -> Step | None:
        step = self._same(*each.band(rows), like)
        if step is None or step.cost is None or like.cost is None:
            return step
        if id(like) not in self._whole:
            whole = self._same(each.op, each.io, like)
            cost = like.cost if whole is None or whole.cost is None else whole.cost
            self._whole[id(like)] = cost.instructions
        # what the layer's kernel states counts on the target's core as `like` says
        stated = max(self._whole[id(like)], 1)
        count = step.cost.instructions * like.cost.instructions // stated
        return replace(step, cost=replace(step.cost, instructions=count))

    def _same(self, op: KernelOp, io: Io, like: Step) -> Step | None:
        steps = (op.lower(io), *op.variants(io, self.features))
        return next((s for s in steps if _alike(s, like) and not s.arrays), None)


def _alike(step: Step, like: Step) -> bool:
    """Return whether two calls are of one kernel with the same constants."""
    if step.kernel != like.kernel or step.inputs != like.inputs:
        return False
    own, wanted = _constants(step), _constants(like)
    return own.keys() == wanted.keys() and all(
        np.array_equal(own[name].data, wanted[name].data) for name in own
    )


def _constants(step: Step) -> dict[str, Const]:
    return {name: value for name, value in step.params.items() if isinstance(value, Const)}
