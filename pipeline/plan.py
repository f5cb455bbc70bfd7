"""Memory planning: the op order with the least peak, and an arena offset for every value.

`verify_plan` is separate code: it replays every op's reads and writes over a map of the arena and
trusts nothing the planner computed but its result.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgec.codegen.layout import Place, Plan, Region
from edgec.codegen.registry import Step
from edgec.codegen.selection import Optimize, choose_steps
from edgec.pipeline.graph import Graph

ALIGN = 8
ORDER_BUDGET = 20_000
"""States the search for the best op order may visit before the best greedy order is taken."""
PACKING_TRIES = 400
"""Random packing orders tried when the sorted ones stay above the bound."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Bytes that are alive from op `first` to op `last`, both included."""

    key: str
    size: int
    first: int
    last: int


def plan_memory(
    graph: Graph, features: frozenset[str] = frozenset(), optimize: Optimize = "balanced"
) -> tuple[Graph, Plan]:
    """Return the graph with its ops in the best order found, and its memory plan.

    Kernels are chosen for a core with `features`; without any, all are portable C.
    """
    lowered = choose_steps(graph, features, optimize)
    ordered = _best_order(graph, lowered)
    steps = tuple(lowered[op.outputs] for op in ordered.ops)
    places, owners, copies = _storage(ordered, steps)
    blocks = _blocks(ordered, steps, places, owners)
    offsets = _pack(blocks)
    for name, owner in owners.items():
        if name not in places:
            places[name] = Place(Region.ARENA, offsets[owner])
    size = max((offsets[b.key] + b.size for b in blocks), default=0)
    scratch = tuple(offsets.get(_scratch_key(i)) for i in range(len(steps)))
    plan = Plan(steps, places, scratch, copies, _align(size), _bound(blocks))
    return ordered, plan


def verify_plan(graph: Graph, plan: Plan) -> None:
    """Raise AssertionError if running the plan would overwrite a byte that is still to be read.

    Every op's reads, writes and scratch are replayed in order over a map of the arena that says
    which value each byte holds.
    """
    holds = np.full(plan.arena_bytes, -1, np.int64)
    number = {name: i for i, name in enumerate(graph.tensors)}

    def span(name: str, at: int) -> slice:
        end = at + graph[name].size_bytes
        assert at >= 0 and end <= plan.arena_bytes, f"{name} at {at}..{end} is outside the arena"
        return slice(at, end)

    for name, tensor in graph.tensors.items():
        if tensor.variable and plan.places[name].region is Region.ARENA:
            holds[span(name, plan.places[name].at)] = number[name]
    kept = {n for n, t in graph.tensors.items() if t.variable}
    for index, (op, step) in enumerate(zip(graph.ops, plan.steps, strict=True)):
        touched = np.zeros(plan.arena_bytes, np.int8)
        for name in {n for n in op.inputs if n}:
            place = plan.places[name]
            if place.region is Region.ARENA:
                where = span(name, place.at)
                assert (holds[where] == number[name]).all(), f"op {index}: {name} is overwritten"
                touched[where] += 1
        at = plan.scratch[index]
        if step.scratch_bytes:
            assert at is not None, f"op {index} has no scratch"
            assert at + step.scratch_bytes <= plan.arena_bytes, f"op {index}: scratch outside"
            where = slice(at, at + step.scratch_bytes)
            assert not touched[where].any(), f"op {index}: scratch overlaps an input"
            touched[where] += 1
            holds[where] = -2
        for name in op.outputs:
            place = plan.places[name]
            if place.region is not Region.ARENA:
                continue
            where = span(name, place.at)
            if step.view and index not in plan.copies:
                assert plan.places[op.inputs[0]] == place, f"op {index}: view has moved"
            else:
                assert not touched[where].any(), f"op {index}: {name} overlaps what it is made of"
            touched[where] += 1
            holds[where] = number[name]
            if step.view and op.inputs[0] in number:
                # both names are one memory from here on: later reads of either must see it
                number[op.inputs[0]] = number[name]
        for name in kept:
            where = span(name, plan.places[name].at)
            assert (holds[where] == number[name]).all(), f"op {index} overwrites state {name}"


def _align(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _scratch_key(index: int) -> str:
    return f"\0scratch {index}"


def _storage(
    graph: Graph, steps: Sequence[Step]
) -> tuple[dict[str, Place], dict[str, str], frozenset[int]]:
    """Return fixed places, the owner of each value's memory in the arena, and the copying views."""
    places: dict[str, Place] = {}
    for name, tensor in graph.tensors.items():
        if tensor.data is not None:
            places[name] = Place(Region.CONSTANT)
    places |= {name: Place(Region.INPUT, i) for i, name in enumerate(graph.inputs)}
    places |= {name: Place(Region.OUTPUT, i) for i, name in enumerate(graph.outputs)}
    owners: dict[str, str] = {n: n for n, t in graph.tensors.items() if t.variable}
    copies: set[int] = set()
    for index, (op, step) in enumerate(zip(graph.ops, steps, strict=True)):
        if not step.view:
            owners |= {name: name for name in op.outputs if name not in places}
            continue
        source, out = op.inputs[0], op.outputs[0]
        if out not in places:
            if source in places:
                places[out] = places[source]
            else:
                owners[out] = owners[source]
        elif source in places or graph[source].variable:
            copies.add(index)
        else:  # compute straight into the caller's buffer
            moved = owners[source]
            for name in [n for n, owner in owners.items() if owner == moved]:
                places[name] = places[out]
                del owners[name]
    return places, owners, frozenset(copies)


def _blocks(
    graph: Graph, steps: Sequence[Step], places: Mapping[str, Place], owners: Mapping[str, str]
) -> list[_Block]:
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    end = len(steps) - 1
    for index, op in enumerate(graph.ops):
        for name in (*op.inputs, *op.outputs):
            if name in owners and name not in places:
                owner = owners[name]
                first.setdefault(owner, index)
                last[owner] = index
    blocks: list[_Block] = []
    for key, begin in first.items():
        tensor = graph[key]
        span = (0, end) if tensor.variable else (begin, last[key])
        blocks.append(_Block(key, _align(tensor.size_bytes), *span))
    for index, step in enumerate(steps):
        if step.scratch_bytes:
            blocks.append(_Block(_scratch_key(index), _align(step.scratch_bytes), index, index))
    return blocks


def _bound(blocks: Iterable[_Block]) -> int:
    """Return the most bytes alive during any one op."""
    alive: dict[int, int] = {}
    for block in blocks:
        for index in range(block.first, block.last + 1):
            alive[index] = alive.get(index, 0) + block.size
    return max(alive.values(), default=0)


def _pack(blocks: Sequence[_Block]) -> dict[str, int]:
    """Return an offset for every block such that blocks alive together do not overlap."""
    bound = _bound(blocks)
    keys: tuple[Callable[[_Block], tuple[int, ...]], ...] = (
        lambda b: (-b.size, b.first),
        lambda b: (-(b.last - b.first), -b.size),
        lambda b: (-b.size * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.size),
    )
    best: dict[str, int] = {}
    best_size = -1
    rng = random.Random(0)  # fixed: the same model packs the same way every time
    order = sorted(blocks, key=keys[0])
    for attempt in range(len(keys) + PACKING_TRIES):
        if attempt < len(keys):
            trial = sorted(blocks, key=keys[attempt])
        else:
            trial = list(order)
            for _ in range(rng.randint(1, 3)):
                i, j = rng.randrange(len(trial)), rng.randrange(len(trial))
                trial[i], trial[j] = trial[j], trial[i]
        offsets, size = _first_fit(trial)
        if best_size < 0 or size < best_size:
            best, best_size, order = offsets, size, trial
        if best_size <= bound:
            break
    return best


def _first_fit(order: Sequence[_Block]) -> tuple[dict[str, int], int]:
    offsets: dict[str, int] = {}
    placed: list[tuple[int, _Block]] = []  # by offset
    size = 0
    for block in order:
        at = 0
        for start, other in placed:
            if other.first <= block.last and block.first <= other.last:
                if start - at >= block.size:
                    break
                at = max(at, start + other.size)
        offsets[block.key] = at
        size = max(size, at + block.size)
        placed.append((at, block))
        placed.sort(key=lambda entry: entry[0])
    return offsets, size


def _best_order(graph: Graph, lowered: Mapping[tuple[str, ...], Step]) -> Graph:
    """Return the graph with its ops in the order of least peak that the search finds."""
    search = _OrderSearch(graph, lowered)
    order = search.run()
    given = tuple(range(len(graph.ops)))
    if search.peak(order) >= search.peak(given):
        order = given
    return replace(graph, ops=tuple(graph.ops[i] for i in order))


class _OrderSearch:
    """Best-first search over sets of done ops for the order with the least peak of live bytes."""

    def __init__(self, graph: Graph, lowered: Mapping[tuple[str, ...], Step]) -> None:
        self.count = len(graph.ops)
        self.steps = [lowered[op.outputs] for op in graph.ops]
        made_by = {name: i for i, op in enumerate(graph.ops) for name in op.outputs}
        self.needs = [
            sum(1 << made_by[n] for n in {*op.inputs} if n in made_by) for op in graph.ops
        ]
        _, owners, _ = _storage(graph, self.steps)
        self.size: dict[str, int] = {}
        self.makers: dict[str, int] = {}
        self.readers: dict[str, int] = {}
        for index, op in enumerate(graph.ops):
            for name in op.outputs:
                owner = owners.get(name)
                if owner is not None and not graph[owner].variable:
                    self.size[owner] = _align(graph[owner].size_bytes)
                    self.makers.setdefault(owner, index)
            for name in (*op.inputs, *op.outputs):
                owner = owners.get(name)
                if owner in self.size and owner is not None:
                    self.readers[owner] = self.readers.get(owner, 0) | 1 << index

    def live(self, done: int) -> int:
        """Return the bytes that must be kept after the ops of the bit set `done`."""
        return sum(
            size
            for owner, size in self.size.items()
            if done >> self.makers[owner] & 1 and self.readers[owner] & ~done
        )

    def cost(self, done: int, index: int) -> int:
        """Return the bytes alive while op `index` runs after `done`."""
        new = sum(s for o, s in self.size.items() if self.makers[o] == index)
        return self.live(done) + new + _align(self.steps[index].scratch_bytes or 0)

    def ready(self, done: int) -> list[int]:
        """Return the ops that can run after `done`."""
        return [i for i in range(self.count) if not done >> i & 1 and not self.needs[i] & ~done]

    def peak(self, order: Sequence[int]) -> int:
        """Return the most bytes alive in an order."""
        done = peak = 0
        for index in order:
            peak = max(peak, self.cost(done, index))
            done |= 1 << index
        return peak

    def run(self) -> tuple[int, ...]:
        """Return the best order within the budget, else the greedy one."""
        if self.count > 300 or all(len(self.ready((1 << i) - 1)) <= 1 for i in range(self.count)):
            return tuple(range(self.count))
        full = (1 << self.count) - 1
        heap: list[tuple[int, int, int, tuple[int, ...]]] = [(0, 0, 0, ())]
        seen: set[int] = set()
        while heap and len(seen) < ORDER_BUDGET:
            peak, _, done, order = heapq.heappop(heap)
            if done == full:
                return order
            if done in seen:
                continue
            seen.add(done)
            for index in self.ready(done):
                after = done | 1 << index
                if after not in seen:
                    worst = max(peak, self.cost(done, index))
                    heapq.heappush(heap, (worst, -len(order), after, (*order, index)))
        return self._greedy()

    def _greedy(self) -> tuple[int, ...]:
        done = 0
        order: list[int] = []
        while len(order) < self.count:
            best = min(
                self.ready(done),
                key=lambda i: (self.live(done | 1 << i), self.cost(done, i), i),
            )
            order.append(best)
            done |= 1 << best
        return tuple(order)
