"""Fits a model into a RAM budget: runs of layers by stripes, and kernels with less scratch.

Each op alone, and each run of layers that stripes can go through, is a way over some positions of
the op order, with an arena it needs at least and instructions it takes; the cheapest path over ways
that fit the budget is the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgec.codegen.bands import BandKernels, Member, Stripe, member, row_bytes, stripes
from edgec.codegen.layout import Plan
from edgec.codegen.packing import aligned, safe_distance
from edgec.codegen.registry import Io, KernelOp, Step, as_kernel_op
from edgec.codegen.stripes import Stripes, lowered_turns
from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import Graph
from edgec.pipeline.plan import plan_memory

Rivals = Mapping[tuple[str, ...], Sequence[Step]]

MOST_MEMBERS = 16
_MARGIN = 4
"""How many layers a run may have before and after those that do not fit alone."""
_HEIGHTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
_EXCHANGES = 8
"""How many kernels of a run are exchanged for ones with less working memory, at most."""
_PACKINGS = 6
_HALVINGS = 8


@dataclass(frozen=True, slots=True)
class Way:
    """One way over the ops `first` .. `last`: alone, or together by stripes."""

    first: int
    last: int
    op: KernelOp
    step: Step
    need_bytes: int
    instructions: int

    @property
    def text(self) -> str:
        """Which layers go by stripes of how many rows."""
        rows = self.op.rows if isinstance(self.op, Stripes) else 0
        layers = f"layers {self.first} to {self.last}" if self.last > self.first else (
            f"layer {self.first}"
        )  # fmt: skip
        return f"{layers} ({rows} row{'s' if rows > 1 else ''} at a time)"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A plan, and the ways that it is made of."""

    graph: Graph
    plan: Plan
    ways: tuple[Way, ...]

    @property
    def striped(self) -> tuple[Way, ...]:
        """The runs of layers that are computed by stripes."""
        return tuple(way for way in self.ways if isinstance(way.op, Stripes))


def fit_memory(
    graph: Graph,
    plan: Plan,
    rivals: Rivals,
    features: frozenset[str],
    arena_bytes: int | None,
    *,
    input_rows: bool = False,
) -> Fitted:
    """Return the cheapest plan found whose arena is at most `arena_bytes`, else the smallest found.

    `graph` and `plan` are without stripes, `rivals` all steps of its ops by their outputs. With
    `input_rows` the model's input, of which there is one,
    is not in the arena: the caller gives it by rows. Without a budget the smallest plan is meant.
    """
    search = _Search(graph, plan, rivals, BandKernels(features), input_rows)
    best: Fitted | None = None
    if arena_bytes is not None:
        budget = arena_bytes
        for _ in range(_PACKINGS):
            path = search.cheapest(budget)
            if path is None:
                break
            found = search.plan(path)
            if found.plan.arena_bytes <= arena_bytes:
                return found
            best = _smaller(best, found)
            most = max(way.need_bytes for way in path)
            budget = min(budget - (found.plan.arena_bytes - arena_bytes), most - 1)
    low, high = 0, search.most()
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        path = search.cheapest(middle)
        if path is None:
            low = middle
            continue
        high = max(way.need_bytes for way in path)
        best = _smaller(best, search.plan(path))
    if best is not None:
        return best
    if input_rows:
        raise UsageError(
            f"the input cannot be given by rows: no layers that read {graph.inputs[0]!r} first can "
            "be computed by rows",
            "build without --input-rows",
        )
    return search.plan(search.alone())


def _smaller(best: Fitted | None, found: Fitted) -> Fitted:
    if best is None or found.plan.arena_bytes < best.plan.arena_bytes:
        return found
    return best


class _Search:
    """The ways over all positions of an op order."""

    def __init__(
        self,
        graph: Graph,
        plan: Plan,
        rivals: Rivals,
        bands: BandKernels,
        input_rows: bool,
    ) -> None:
        self.graph = graph
        self.bands = bands
        self.rivals = rivals
        self.ops = [as_kernel_op(op) for op in graph.ops]
        self.steps = list(plan.steps)
        self.fetched = graph.inputs[0] if input_rows else ""
        self.spans = self._lifetimes()
        self._floors: dict[tuple[int, int, int], int] = {}
        self._stripes_of: dict[tuple[int, int, int], tuple[Stripe, ...]] = {}
        self._lowered: dict[tuple[int, int, int, int], Way | None] = {}
        self.members = [member(op, Io.of(graph, op)) for op in self.ops]

    def _lifetimes(self) -> dict[str, tuple[int, int]]:
        """Return the first and last op that must find each value in the arena."""
        spans: dict[str, tuple[int, int]] = {}
        home: dict[str, str] = {}
        end = len(self.ops)
        for name in self.graph.inputs:
            spans[name] = (-1, -1)
        for i, (op, step) in enumerate(zip(self.ops, self.steps, strict=True)):
            if step.view and self.graph[op.inputs[0]].data is None:
                home[op.outputs[0]] = home.get(op.inputs[0], op.inputs[0])
            for name in (*op.inputs, *op.outputs):
                if name and self.graph[name].data is None:
                    name = home.get(name, name)
                    first, last = spans.get(name, (i, i))
                    spans[name] = (min(first, i), max(last, i))
        for name in self.graph.outputs:
            name = home.get(name, name)
            spans[name] = (spans[name][0], end)
        for name, tensor in self.graph.tensors.items():
            if tensor.variable:
                spans[name] = (-1, end)
        spans.pop(self.fetched, None)
        self.home = home
        return spans

    def _size(self, name: str) -> int:
        return aligned(self.graph[name].size_bytes)

    def _need(self, first: int, last: int, op: KernelOp, step: Step) -> int:
        """Return the least arena in which ops `first` .. `last` can be computed by one step."""
        across = dying = made = 0
        ends = {self.home.get(n, n) for n in (*op.inputs, *op.outputs) if n}
        for name, (begin, end) in self.spans.items():
            if begin < first and end > last:
                across += self._size(name)
            elif begin < first and first <= end <= last:
                dying += self._size(name)
            elif first <= begin <= last and (end > last or name in ends):
                made += self._size(name)
        saved = max((self._shared(op, step, i, last) for i in range(len(op.inputs))), default=0)
        return across + dying + made - saved + aligned(step.scratch_bytes or 0)

    def _shared(self, op: KernelOp, step: Step, position: int, last: int) -> int:
        """Return the bytes that the output and an input that ends here can share."""
        name = op.inputs[position]
        if step.view or len(op.outputs) != 1 or self.spans.get(name, (0, -1))[1] > last:
            return 0
        if name not in self.spans:
            return 0
        size, out = self._size(name), self._size(op.outputs[0])
        if position in step.in_place:
            return min(size, out)
        if position == 0 and step.accesses:
            union = max(size + aligned(safe_distance(step.accesses)), out)
            return max(size + out - union, 0)
        return 0

    def most(self) -> int:
        """Return the least arena without stripes."""
        return max((way.need_bytes for way in self.alone()), default=0)

    def alone(self) -> tuple[Way, ...]:
        """Return the ways without stripes, with the chosen kernels."""
        return tuple(self._single(i, step) for i, step in enumerate(self.steps))

    def _single(self, i: int, step: Step) -> Way:
        count = step.cost.instructions if step.cost is not None else 0
        return Way(i, i, self.ops[i], step, self._need(i, i, self.ops[i], step), count)

    def cheapest(self, budget: int) -> tuple[Way, ...] | None:
        """Return the cheapest path over ways that need at most `budget` bytes; None without one."""
        singles = []
        for i in range(len(self.ops)):
            options = [self._single(i, step) for step in self._kernels(i)]
            fitting = [way for way in options if way.need_bytes <= budget]
            reads = self.fetched and self.fetched in self.ops[i].inputs
            singles.append(None if reads or not fitting else min(fitting, key=_cost))
        best: list[tuple[int, tuple[Way, ...]] | None] = [(0, ())]
        best += [None] * len(self.ops)
        tight = {i for i, way in enumerate(self.alone()) if way.need_bytes > budget}
        tight |= {i for i, way in enumerate(singles) if way is None}
        runs: dict[int, list[Way]] = {}
        for way in self._runs(sorted(tight), budget):
            runs.setdefault(way.first, []).append(way)
        for i, single in enumerate(singles):
            here = best[i]
            if here is None:
                continue
            for way in (*([] if single is None else [single]), *runs.get(i, ())):
                total = (here[0] + way.instructions, (*here[1], way))
                there = best[way.last + 1]
                if there is None or total[0] < there[0]:
                    best[way.last + 1] = total
        found = best[-1]
        return None if found is None else found[1]

    def _kernels(self, i: int) -> tuple[Step, ...]:
        """Return the steps worth trying for an op: the chosen, and those with less scratch."""
        own = self.steps[i]
        fewer = [
            s
            for s in self.rivals[self.ops[i].outputs]
            if s.cost is not None and (s.scratch_bytes or 0) < (own.scratch_bytes or 0)
        ]
        return (own, *fewer)

    def _runs(self, tight: Sequence[int], budget: int) -> Iterator[Way]:
        """Yield, for each run of layers with one of `tight`, the highest stripes that fit."""
        for first in range(len(self.ops)):
            for last in range(first, min(first + MOST_MEMBERS, len(self.ops))):
                if self.members[last] is None:
                    break
                inside = [i for i in tight if first <= i <= last]
                if not inside or inside[0] - first > _MARGIN or last - inside[-1] > _MARGIN:
                    continue
                if not self._closed(first, last):
                    continue
                for level in range(_EXCHANGES + 1):
                    way = self._highest(first, last, level, budget)
                    if way is not None:
                        yield way
                        break

    def _closed(self, first: int, last: int) -> bool:
        """Return whether only the last value of a run is needed outside it."""
        run = self.ops[first : last + 1]
        inner = {name for op in run[:-1] for name in op.outputs}
        outside = {n for op in (*self.ops[:first], *self.ops[last + 1 :]) for n in op.inputs}
        used = {n for op in run for n in op.inputs}
        if inner & (outside | set(self.graph.outputs)) or not inner <= used:
            return False
        fetches = self.fetched and any(self.fetched in op.inputs for op in run)
        return not (fetches and self.fetched in outside)

    def _likes(self, first: int, last: int, rows: int, level: int) -> tuple[Step, ...] | None:
        """Return the kernels of a run, `level` of them exchanged; None if no more can be.

        It is always the one with the most working memory that is exchanged, for the fastest that
        takes less.
        """
        if level == 0:
            return tuple(self.steps[first : last + 1])
        likes = self._likes(first, last, rows, level - 1)
        if likes is None:
            return None
        members, turns = self._turns(first, last, rows)
        made = turns[len(turns) // 2].made
        scratch = [
            self._scratch(each, like, own)
            for each, like, own in zip(members, likes, made, strict=True)
        ]
        at = scratch.index(max(scratch))
        fewer = [
            rival
            for rival in self.rivals[members[at].op.outputs]
            if rival.cost is not None and self._scratch(members[at], rival, made[at]) < scratch[at]
        ]
        if not fewer:
            return None
        best = min(fewer, key=lambda s: s.cost.instructions if s.cost is not None else 0)
        return (*likes[:at], best, *likes[at + 1 :])

    def _scratch(self, each: Member, like: Step, rows: range) -> int:
        """Return the working memory of a band; where the kernel does not take it, no gain."""
        step = self.bands.step(each, like, rows) if rows else None
        return (like if step is None else step).scratch_bytes or 0

    def _highest(self, first: int, last: int, level: int, budget: int) -> Way | None:
        high = self.graph[self.ops[last].outputs[0]].shape[1]
        for rows in sorted(_HEIGHTS, reverse=True):
            if rows < max(high, 2) and self._floor(first, last, rows) <= budget:
                way = self._way(first, last, rows, level)
                if way is not None and way.need_bytes <= budget:
                    return way
        return None

    def _floor(self, first: int, last: int, rows: int) -> int:
        """Return what the rows held from one stripe to the next take at least."""
        key = (first, last, rows)
        if key not in self._floors:
            members, turns = self._turns(first, last, rows)
            windows = [each.io.y.name for each in members[:-1]]
            windows += [self.fetched] if self.fetched in turns[0].held else []
            self._floors[key] = max(
                (max(len(t.held[n]) for t in turns) * row_bytes(self.graph[n]) for n in windows),
                default=0,
            )
        return self._floors[key]

    def _turns(self, first: int, last: int, rows: int) -> tuple[list[Member], tuple[Stripe, ...]]:
        key = (first, last, rows)
        members = [m for m in self.members[first : last + 1] if m is not None]
        if key not in self._stripes_of:
            self._stripes_of[key] = stripes(members, rows)
        return members, self._stripes_of[key]

    def _way(self, first: int, last: int, rows: int, level: int) -> Way | None:
        key = (first, last, rows, level)
        if key not in self._lowered:
            likes = self._likes(first, last, rows, level)
            if likes is None:
                return None
            ops = self.ops[first : last + 1]
            op = Stripes.of(self.graph, ops, likes, rows, self.bands, self.fetched)
            step = lowered_turns(op, *self._turns(first, last, rows))
            self._lowered[key] = None
            if step is not None and step.cost is not None:
                need = self._need(first, last, op, step)
                count = step.cost.instructions
                self._lowered[key] = Way(first, last, op, step, need, count)
        return self._lowered[key]

    def plan(self, path: Sequence[Way]) -> Fitted:
        """Return the memory plan of a path."""
        graph = self.graph.with_ops(way.op for way in path)
        steps = {way.op.outputs: way.step for way in path}
        ordered, plan = plan_memory(graph, steps=steps)
        return Fitted(ordered, plan, tuple(path))


def _cost(way: Way) -> tuple[int, int]:
    return way.instructions, way.need_bytes
