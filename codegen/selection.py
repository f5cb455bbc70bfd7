"""Chooses a kernel for every op, by cost: what `--optimize` means beyond compiler flags."""

from __future__ import annotations

from typing import Literal

from edgec.codegen.registry import Io, KernelOp, Step, as_kernel_op
from edgec.pipeline.graph import Graph

Optimize = Literal["size", "balanced", "speed"]

BALANCED_GROWTH = 1.25
"""How much more flash than its smallest kernel a layer may take for speed in balanced mode."""


def choose_steps(
    graph: Graph, features: frozenset[str], optimize: Optimize
) -> dict[tuple[str, ...], Step]:
    """Return the chosen kernel of every op, by the op's outputs."""
    return {
        op.outputs: _choose(as_kernel_op(op), Io.of(graph, op), features, optimize)
        for op in graph.ops
    }


def _choose(op: KernelOp, io: Io, features: frozenset[str], optimize: Optimize) -> Step:
    """Return the best of an op's kernels; those that state no cost are never preferred."""
    portable = op.lower(io)
    rivals = [(s.cost, s) for s in (portable, *op.variants(io, features)) if s.cost is not None]
    if not rivals:
        return portable
    if optimize == "size":
        return min(rivals, key=lambda r: (r[0].flash_bytes, r[0].instructions))[1]
    if optimize == "balanced":
        limit = BALANCED_GROWTH * min(cost.flash_bytes for cost, _ in rivals)
        rivals = [r for r in rivals if r[0].flash_bytes <= limit]
    return min(rivals, key=lambda r: (r[0].instructions, r[0].flash_bytes))[1]
