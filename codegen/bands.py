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
    """A layer that can be computed by rows; `window` says which rows of its input one needs."""

    op: KernelOp
    io: Io
    window: Window

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the inputs that are read by rows, each once."""
        return tuple(dict.fromkeys(t.name for t in self.io.present if t.data is None))

    @property
    def in_high(self) -> int:
        """Rows of the inputs."""
        return self.io.x.shape[1]

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
    window = getattr(op, "window", None)
    if isinstance(window, Window):
        return Member(op, io, window) if len(values) == 1 and values[0] is io.x else None
    flat = all(len(t.shape) < 3 or t.shape[-3] == 1 for t in io.present if t.data is not None)
    if not flat or any(t.shape != io.y.shape for t in values):
        return None
    return Member(op, io, _SAME_ROW)


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
    out = members[-1].io.y
    total = _goals(members, [0] * len(members), out.shape[1])
    done = [0] * len(members)
    ends: dict[str, int] = {}
    turns = []
    for first in range(0, out.shape[1], rows):
        goals = _goals(members, done, min(first + rows, out.shape[1]))
        made = []
        for i, each in enumerate(members):
            made.append(range(done[i], max(goals[each.io.y.name], done[i])))
        held = {}
        for name in {n for each in members for n in each.sources}:
            before = ends.get(name, 0)
            end = max(goals.get(name, 0), before)
            starts = [
                each.needs(range(done[i], done[i] + 1)).start
                for i, each in enumerate(members)
                if name in each.sources and done[i] < total[each.io.y.name]
            ]
            held[name] = range(min([*starts, end, before] if starts else [before, end]), end)
            if not starts:
                held[name] = range(end, end)
            ends[name] = end
        turns.append(Stripe(tuple(made), held))
        done = [r.stop for r in made]
    return tuple(turns)


def _goals(members: Sequence[Member], done: Sequence[int], end: int) -> dict[str, int]:
    """Return up to which row each value must be made so that the last has `end` rows."""
    goals = {members[-1].io.y.name: end}
    for i in range(len(members) - 1, -1, -1):
        each = members[i]
        rows = range(done[i], max(goals.setdefault(each.io.y.name, 0), done[i]))
        for name in each.sources:
            goals[name] = max(goals.get(name, 0), each.needs(rows).stop)
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
