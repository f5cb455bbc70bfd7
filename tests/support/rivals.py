"""Kernels in turn: every layer by another of those that its core has for it."""

from __future__ import annotations

from collections import Counter

from edgec.codegen.selection import Optimize, Steps, rival_steps
from edgec.pipeline.graph import Graph


def kernels_in_turn(graph: Graph, features: frozenset[str], optimize: Optimize) -> Steps:
    """Return a special kernel for each op where there is one, another for each op of a kind.

    What costs decide for small layers would be the portable kernel, mostly.
    """
    turns: Counter[str] = Counter()
    steps: Steps = {}
    rivals = rival_steps(graph, features, optimize)
    for op in graph.ops:
        plain, *special = rivals[op.outputs]
        steps[op.outputs] = special[turns[op.builtin] % len(special)] if special else plain
        turns[op.builtin] += 1
    return steps
