"""Exact rewrites of the graph, one a module, in the order they run."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.passes import (
    drop_round_trips,
    drop_unused,
    fold_constants,
    fold_pads,
    fuse_activations,
    merge_channels,
    merge_tables,
    merge_transposes,
    remove_channels,
)
from edgec.targets.profile import Target

PASSES = (
    fold_constants.run,
    drop_round_trips.run,
    merge_transposes.run,
    fuse_activations.run,
    merge_tables.run,
    fold_pads.run,
    remove_channels.run,
    merge_channels.run,
    drop_unused.run,
)
SHRINKING = (remove_channels.run, merge_channels.run)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a rewrite took away: ops, multiply-accumulates, bytes of constants and of the arena."""

    name: str
    ops: int
    macs: int
    constant_bytes: int
    arena_bytes: int = 0


def run_passes(
    graph: Graph, target: Target, *, shrink: bool = True
) -> tuple[Graph, tuple[Saving, ...]]:
    """Return the graph after every pass, checked in between, and what each saved.

    Without `shrink` no channel is removed, so that every layer keeps its shape.
    """
    savings: list[Saving] = []
    for run in PASSES:
        if run in SHRINKING and not shrink:
            continue
        before, graph = graph, check(run(graph, target))
        saved = Saving(
            run.__module__.rpartition(".")[2],
            len(before.ops) - len(graph.ops),
            _macs(before) - _macs(graph),
            _constant_bytes(before) - _constant_bytes(graph),
        )
        if before is not graph and (saved.ops or saved.macs or saved.constant_bytes):
            savings.append(saved)
    return graph, tuple(savings)


def _macs(graph: Graph) -> int:
    return sum(as_kernel_op(op).macs(Io.of(graph, op)) for op in graph.ops)


def _constant_bytes(graph: Graph) -> int:
    return sum(t.size_bytes for t in graph.tensors.values() if t.data is not None)
