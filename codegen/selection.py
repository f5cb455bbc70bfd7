"""Chooses a kernel for every op, by cost: what `--optimize` means beyond compiler flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from edgec.codegen.registry import Cost, Io, KernelOp, Step, as_kernel_op
from edgec.pipeline.graph import Graph

Optimize = Literal["size", "balanced", "speed"]

BALANCED_GROWTH = 1.25
"""How much more flash than its smallest kernel a layer may take for speed in balanced mode."""
CODE_BYTES = 8192
"""What kernels and calls take of a flash budget, about; the linker has the last word."""

_Rival = tuple[Cost, Step]


def choose_steps(
    graph: Graph,
    features: frozenset[str],
    optimize: Optimize,
    flash_bytes: int | None = None,
) -> dict[tuple[str, ...], Step]:
    """Return the chosen kernel of every op, by the op's outputs.

    Where the parameters would not fit `flash_bytes`, layers fall back to smaller kernels one by
    one, the one first that saves most flash for each instruction it costs.
    """
    chosen: dict[tuple[str, ...], Step] = {}
    rivals: dict[tuple[str, ...], list[_Rival]] = {}
    for op in graph.ops:
        found = _rivals(as_kernel_op(op), Io.of(graph, op), features)
        rivals[op.outputs] = [(s.cost, s) for s in found if s.cost is not None]
        best = _best(rivals[op.outputs], optimize)
        chosen[op.outputs] = found[0] if best is None else best
    if flash_bytes is not None:
        _fall_back(chosen, rivals, flash_bytes - CODE_BYTES)
    return chosen


def _rivals(op: KernelOp, io: Io, features: frozenset[str]) -> Sequence[Step]:
    return (op.lower(io), *op.variants(io, features))


def _best(rivals: Sequence[_Rival], optimize: Optimize) -> Step | None:
    """Return the best kernel; None where none states its cost, so that there is no choice."""
    if not rivals:
        return None
    if optimize == "size":
        return min(rivals, key=lambda r: (r[0].flash_bytes, r[0].instructions))[1]
    if optimize == "balanced":
        limit = BALANCED_GROWTH * min(cost.flash_bytes for cost, _ in rivals)
        rivals = [r for r in rivals if r[0].flash_bytes <= limit]
    return min(rivals, key=lambda r: (r[0].instructions, r[0].flash_bytes))[1]


def _fall_back(
    chosen: dict[tuple[str, ...], Step],
    rivals: dict[tuple[str, ...], list[_Rival]],
    limit: int,
) -> None:
    """Exchange kernels for smaller ones until the parameters fit, or none is smaller."""
    while sum(s.cost.flash_bytes for s in chosen.values() if s.cost is not None) > limit:
        exchanges = []
        for key, step in chosen.items():
            for cost, rival in rivals[key]:
                now = step.cost
                if now is not None and cost.flash_bytes < now.flash_bytes:
                    slower = max(cost.instructions - now.instructions, 1)
                    exchanges.append(((now.flash_bytes - cost.flash_bytes) / slower, key, rival))
        if not exchanges:
            return
        _, key, rival = max(exchanges, key=lambda e: (e[0], e[1]))
        chosen[key] = rival
