"""Memory planning: an arena offset for every value, in the op order with the least peak.

An output may be written over an input that is not needed afterwards, as far as the kernel's stated
accesses allow: exactly in place, or shifted down by the distance that keeps every write below what
is still to be read. The check of a plan is separate code, in `edgec.pipeline.replay`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgec.codegen.layout import Place, Plan, Region, fetched
from edgec.codegen.packing import Block, Overlap, aligned, most_alive, pack, safe_distance
from edgec.codegen.registry import Step
from edgec.codegen.selection import Optimize, choose_steps
from edgec.pipeline.graph import Graph
from edgec.pipeline.order import best_order


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
    offsets = pack(blocks, _overlaps(ordered, chosen, fixed, owners, blocks))
    places = dict(fixed)
    places |= {name: Place(Region.ARENA, offsets[owner]) for name, owner in owners.items()}
    plan = Plan(
        chosen,
        places,
        tuple(offsets.get(_scratch_key(i)) for i in range(len(chosen))),
        copies,
        max((offsets[b.key] + b.size for b in blocks), default=0),
        most_alive(blocks),
        tuple(offsets.get(_io_key(Region.INPUT, i)) for i in range(len(graph.inputs))),
        tuple(offsets[_io_key(Region.OUTPUT, i)] for i in range(len(graph.outputs))),
    )
    return ordered, plan


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
) -> list[Block]:
    """Return all memory with its lifetime: the caller fills inputs first and reads outputs last."""
    end = len(steps)
    size = {key: graph[key].size_bytes for key in owners.values()}
    span: dict[str, tuple[int, int]] = {}
    by_rows = fetched(steps)
    for region, names in ((Region.INPUT, graph.inputs), (Region.OUTPUT, graph.outputs)):
        for index, name in enumerate(names):
            if name == by_rows:
                continue
            key = _io_key(region, index)
            size[key] = graph[name].size_bytes
            span[key] = (-1, -1) if region is Region.INPUT else (end, end)
    for index, op in enumerate(graph.ops):
        for name in (*op.inputs, *op.outputs):
            block = _key(name, fixed, owners) if name and name != by_rows else None
            if block is not None:
                first, last = span.get(block, (index, index))
                span[block] = (min(first, index), max(last, index))
    for key in span:
        if key in graph.tensors and graph[key].variable:
            span[key] = (-1, end)
    blocks = [Block(key, aligned(size[key]), *span[key]) for key in span]
    for index, step in enumerate(steps):
        if step.scratch_bytes:
            blocks.append(Block(_scratch_key(index), aligned(step.scratch_bytes), index, index))
    return blocks


def _overlaps(
    graph: Graph,
    steps: Sequence[Step],
    fixed: Mapping[str, Place],
    owners: Mapping[str, str],
    blocks: Sequence[Block],
) -> dict[tuple[str, str], Overlap]:
    """Return which outputs may be written over which inputs."""
    by_key = {block.key: block for block in blocks}
    result: dict[tuple[str, str], Overlap] = {}
    for index, (op, step) in enumerate(zip(graph.ops, steps, strict=True)):
        if len(op.outputs) != 1 or step.view:
            continue
        out = _key(op.outputs[0], fixed, owners)
        for position, name in enumerate(op.inputs):
            source = _key(name, fixed, owners) if name else None
            if source not in by_key or out is None or source == out:
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
                result[source, out] = Overlap(aligned(distance), exact)
    return result


def describe_peak(graph: Graph, plan: Plan) -> str:
    """Say which layer needs the most memory at once, and for what."""
    needs: list[tuple[int, str]] = []
    for index, (op, step) in enumerate(zip(graph.ops, plan.steps, strict=True)):
        ends = {n for n in (*op.inputs, *op.outputs) if n and graph[n].data is None}
        ends.discard(plan.fetched)
        total = sum(graph[n].size_bytes for n in ends) + (step.scratch_bytes or 0)
        parts = [f"{graph[n].size_bytes:,} for {n!r}" for n in sorted(ends)]
        if step.scratch_bytes:
            parts.append(f"{step.scratch_bytes:,} of working memory")
        needs.append((total, f"layer {index} ({op.title}) handles {', '.join(parts)}"))
    return max(needs, default=(0, "the model has no layers"))[1]
