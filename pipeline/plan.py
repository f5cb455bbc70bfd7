"""Memory planning: an arena offset for every value, in the op order with the least peak.

An output may be written over an input that is not needed afterwards, as far as the kernel's stated
accesses allow: exactly in place, or shifted down by the distance that keeps every write below what
is still to be read. The check of a plan is separate code, in `edgec.pipeline.replay`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edgec.codegen.layout import Place, Plan, Region
from edgec.codegen.registry import Accesses, Step
from edgec.codegen.selection import Optimize, choose_steps
from edgec.pipeline.graph import Graph
from edgec.pipeline.order import best_order

ALIGN = 8
PACKING_TRIES = 200
"""Random packing orders that are tried after the sorted ones."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Bytes that are alive from op `first` to op `last`, both included."""

    key: str
    size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Overlap:
    """How an output may share memory with an input that ends where it begins.

    Its start may be `distance` bytes or more below the input's start, or, where `exact` is set,
    at it.
    """

    distance: int
    exact: bool


Overlaps = Mapping[tuple[str, str], _Overlap]
"""By (key of the input's block, key of the output's block)."""


def plan_memory(
    graph: Graph,
    features: frozenset[str] = frozenset(),
    optimize: Optimize = "balanced",
    flash_bytes: int | None = None,
    cpu: str = "",
    steps: Mapping[tuple[str, ...], Step] | None = None,
) -> tuple[Graph, Plan]:
    """Return the graph with its ops in the best order found, and its memory plan.

    Kernels are chosen for a core with `features`; without any, all are portable C. `flash_bytes`
    is what parameters and code may take, `cpu` names the core whose measured costs count.
    `steps` are the kernels by the outputs of their ops, where these are chosen already.
    """
    lowered = steps or choose_steps(graph, features, optimize, flash_bytes, cpu)
    fixed, owners, _ = storage(graph, [lowered[op.outputs] for op in graph.ops])
    order = best_order(graph, owners, [lowered[op.outputs].scratch_bytes or 0 for op in graph.ops])
    ordered = replace(graph, ops=tuple(graph.ops[i] for i in order))
    chosen = tuple(lowered[op.outputs] for op in ordered.ops)
    fixed, owners, copies = storage(ordered, chosen)
    blocks = _blocks(ordered, chosen, fixed, owners)
    offsets = _pack(blocks, _overlaps(ordered, chosen, fixed, owners, blocks))
    places = dict(fixed)
    places |= {name: Place(Region.ARENA, offsets[owner]) for name, owner in owners.items()}
    plan = Plan(
        chosen,
        places,
        tuple(offsets.get(_scratch_key(i)) for i in range(len(chosen))),
        copies,
        max((offsets[b.key] + b.size for b in blocks), default=0),
        _bound(blocks),
        tuple(offsets[_io_key(Region.INPUT, i)] for i in range(len(graph.inputs))),
        tuple(offsets[_io_key(Region.OUTPUT, i)] for i in range(len(graph.outputs))),
    )
    return ordered, plan


def _align(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _scratch_key(index: int) -> str:
    return f"\0scratch {index}"


def _io_key(region: Region, index: int) -> str:
    return f"\0{region.value} {index}"


def storage(
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


def _key(name: str, fixed: Mapping[str, Place], owners: Mapping[str, str]) -> str | None:
    """Return the block that holds a value; None for constants."""
    if name in owners:
        return owners[name]
    place = fixed[name]
    return None if place.region is Region.CONSTANT else _io_key(place.region, place.at)


def _blocks(
    graph: Graph, steps: Sequence[Step], fixed: Mapping[str, Place], owners: Mapping[str, str]
) -> list[_Block]:
    """Return all memory with its lifetime: the caller fills inputs first and reads outputs last."""
    end = len(steps)
    size = {key: graph[key].size_bytes for key in owners.values()}
    span: dict[str, tuple[int, int]] = {}
    for region, names in ((Region.INPUT, graph.inputs), (Region.OUTPUT, graph.outputs)):
        for index, name in enumerate(names):
            key = _io_key(region, index)
            size[key] = graph[name].size_bytes
            span[key] = (-1, -1) if region is Region.INPUT else (end, end)
    for index, op in enumerate(graph.ops):
        for name in (*op.inputs, *op.outputs):
            block = _key(name, fixed, owners) if name else None
            if block is not None:
                first, last = span.get(block, (index, index))
                span[block] = (min(first, index), max(last, index))
    for key in span:
        if key in graph.tensors and graph[key].variable:
            span[key] = (-1, end)
    blocks = [_Block(key, _align(size[key]), *span[key]) for key in span]
    for index, step in enumerate(steps):
        if step.scratch_bytes:
            blocks.append(_Block(_scratch_key(index), _align(step.scratch_bytes), index, index))
    return blocks


def _overlaps(
    graph: Graph,
    steps: Sequence[Step],
    fixed: Mapping[str, Place],
    owners: Mapping[str, str],
    blocks: Sequence[_Block],
) -> dict[tuple[str, str], _Overlap]:
    """Return which outputs may be written over which inputs."""
    by_key = {block.key: block for block in blocks}
    result: dict[tuple[str, str], _Overlap] = {}
    for index, (op, step) in enumerate(zip(graph.ops, steps, strict=True)):
        if len(op.outputs) != 1 or step.view:
            continue
        out = _key(op.outputs[0], fixed, owners)
        for position, name in enumerate(op.inputs):
            source = _key(name, fixed, owners) if name else None
            if source is None or out is None or source == out:
                continue
            if by_key[source].last != index or by_key[out].first != index:
                continue
            if op.inputs.count(name) > 1 and step.in_place == ():
                continue
            same = graph[name].size_bytes == graph[op.outputs[0]].size_bytes
            exact = position in step.in_place and same
            distance = by_key[out].size
            if position == 0 and step.accesses:
                distance = min(distance, safe_distance(step.accesses))
            if exact or distance < by_key[out].size:
                result[source, out] = _Overlap(_align(distance), exact)
    return result


def safe_distance(accesses: Accesses) -> int:
    """Return how far below its input an output must start so that no unread byte is overwritten.

    Every stretch's writes, and all before it, must end below what it and all later ones read.
    """
    distance = 0
    unread: int | None = None
    written = [0]
    for _, writes in accesses:
        written.append(max(written[-1], writes.stop))
    for index in range(len(accesses) - 1, -1, -1):
        reads = accesses[index][0]
        if len(reads):
            unread = reads.start if unread is None else min(unread, reads.start)
        if unread is not None:
            distance = max(distance, written[index + 1] - unread)
    return max(distance, 0)


def _bound(blocks: Iterable[_Block]) -> int:
    """Return the most bytes alive at once."""
    alive: dict[int, int] = {}
    for block in blocks:
        for index in range(block.first, block.last + 1):
            alive[index] = alive.get(index, 0) + block.size
    return max(alive.values(), default=0)


def _floor(blocks: Sequence[_Block], overlaps: Overlaps) -> int:
    """Return a size below which no packing can be: what is alive, less what may overlap."""
    by_key = {block.key: block for block in blocks}
    saved: dict[int, dict[str, int]] = {}
    for (source, out), overlap in overlaps.items():
        a, b = by_key[source], by_key[out]
        union = max(a.size, b.size)
        if not overlap.exact:
            union = max(union, overlap.distance + a.size)
        gain = saved.setdefault(b.first, {})
        gain[out] = max(gain.get(out, 0), a.size + b.size - union)
    alive: dict[int, int] = {}
    for block in blocks:
        for index in range(block.first, block.last + 1):
            alive[index] = alive.get(index, 0) + block.size
    return max((size - sum(saved.get(i, {}).values()) for i, size in alive.items()), default=0)


def _pack(blocks: Sequence[_Block], overlaps: Overlaps) -> dict[str, int]:
    """Return an offset for every block such that blocks alive together keep apart."""
    keys: tuple[Callable[[_Block], tuple[int, ...]], ...] = (
        lambda b: (-b.size, b.first),
        lambda b: (-(b.last - b.first), -b.size),
        lambda b: (-b.size * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.size),
        # each output below its input: from the last value up, short-lived blocks where room is left
        lambda b: (b.first == b.last, -b.first, -b.size),
        lambda b: (b.first == b.last, -b.size, -b.first),
    )
    floor = _floor(blocks, overlaps)
    rng = random.Random(0)  # fixed: the same model packs the same way every time
    trials = [sorted(blocks, key=key) for key in keys]
    best, best_size = _first_fit(trials[0], overlaps)
    order = trials[0]
    for attempt in range(1, len(keys) + PACKING_TRIES):
        if best_size <= floor:
            break
        if attempt < len(keys):
            trial = trials[attempt]
        else:
            trial = list(order)
            for _ in range(rng.randint(1, 3)):
                i, j = rng.randrange(len(trial)), rng.randrange(len(trial))
                trial.insert(j, trial.pop(i))
        offsets, size = _first_fit(trial, overlaps)
        if size <= best_size:
            best, best_size, order = offsets, size, trial
    return best


def _first_fit(order: Sequence[_Block], overlaps: Overlaps) -> tuple[dict[str, int], int]:
    """Place blocks one after the other, each at the lowest start that is free."""
    offsets: dict[str, int] = {}
    placed: list[_Block] = []
    size = 0
    for block in order:
        taken = []
        for other in placed:
            if other.first <= block.last and block.first <= other.last:
                taken += _forbidden(block, other, offsets[other.key], overlaps)
        at = _lowest(taken)
        offsets[block.key] = at
        size = max(size, at + block.size)
        placed.append(block)
    return offsets, size


def _forbidden(block: _Block, other: _Block, at: int, overlaps: Overlaps) -> list[tuple[int, int]]:
    """Return the open intervals of starts that `block` cannot have, `other` being at `at`."""
    low, high = at - block.size, at + other.size
    above = overlaps.get((other.key, block.key))
    below = overlaps.get((block.key, other.key))
    found = above or below
    if found is None:
        return [(low, high)]
    if above is not None:
        low = max(low, at - above.distance)
    else:
        high = min(high, at + found.distance)
    if found.exact and low < at < high:
        return [(low, at), (at, high)]
    return [(low, high)]


def _lowest(taken: list[tuple[int, int]]) -> int:
    """Return the lowest start, not negative, inside none of the open intervals."""
    at = 0
    while any(low < at < high for low, high in taken):
        at = min(high for low, high in taken if low < at < high)
    return at


def describe_peak(graph: Graph, plan: Plan) -> str:
    """Say which layer needs the most memory at once, and for what."""
    needs: list[tuple[int, str]] = []
    for index, (op, step) in enumerate(zip(graph.ops, plan.steps, strict=True)):
        ends = {n for n in (*op.inputs, *op.outputs) if n and graph[n].data is None}
        total = sum(graph[n].size_bytes for n in ends) + (step.scratch_bytes or 0)
        parts = [f"{graph[n].size_bytes:,} for {n!r}" for n in sorted(ends)]
        if step.scratch_bytes:
            parts.append(f"{step.scratch_bytes:,} of working memory")
        needs.append((total, f"layer {index} ({op.builtin}) handles {', '.join(parts)}"))
    return max(needs, default=(0, "the model has no layers"))[1]
